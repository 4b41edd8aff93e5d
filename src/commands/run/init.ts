import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { openClients } from "../../app.ts";
import { CollectorError, ConfigError, UsageError } from "../../core/errors.ts";
import { redactor } from "../../core/text.ts";
import { snapshotDatasets } from "../../datasets/index.ts";
import { writeAtomically } from "../../output/atomic-file.ts";
import { type Config, loadConfig, scheduleSetting, secretsOf } from "../../settings/config.ts";
import type { Environment } from "../../settings/env-file.ts";
import { parseEnvFile } from "../../settings/env-syntax.ts";
import { schedule } from "../../settings/parsers.ts";
import { accounts, nameProblem } from "../../settings/sections/accounts.ts";
import type { Setting } from "../../settings/setting.ts";
import { timezoneProblem } from "../../settings/timezone.ts";
import { networkAdvice } from "../check/accounts.ts";
import type { Command } from "../command.ts";
import { type ProblemOf, Questions } from "../terminal/questions.ts";

const defaultSchedule = "*/5 * * * *";

export const init: Command = {
  examples: ["init", "init --yes", "init --yes && bitget-collector doctor"],
  details: [
    "Asks for the name of the account, its key, the schedule and the time zone, checks the key with the exchange, and writes .env with",
    "mode 0600. A key that is not read-only is refused unless BITGET_ALLOW_WRITE_KEYS=true is in the environment.",
    "With --yes the answers come from the environment: BITGET_API_KEY, BITGET_API_SECRET and BITGET_API_PASSPHRASE are required, TIMEZONE is",
    "optional, and an existing .env is never replaced.",
  ],
  options: [{ flags: "--yes", summary: "ask nothing; take the answers from the environment" }],
  onPostgres: "own",
  async run({ options, env, print }) {
    if (options.yes) return writeSettings(answersIn(env), env, print);
    if (!process.stdin.isTTY) throw new UsageError("init asks questions: run it in a terminal, or use --yes");
    const questions = new Questions(process.stdin, process.stdout);
    try {
      return await writeSettings(await askAll(questions, print), env, print);
    } finally {
      questions.close();
    }
  },
};

interface Answers {
  name: string;
  key: string;
  secret: string;
  passphrase: string;
  schedule: string;
  timezone: string;
}

/** Returns the answers of the environment. @throws ConfigError if `.env` exists; UsageError if one is missing */
function answersIn(env: Environment): Answers {
  if (existsSync(".env")) throw new ConfigError([`${resolve(".env")} exists and is not replaced; remove it first`]);
  const names = ["BITGET_API_KEY", "BITGET_API_SECRET", "BITGET_API_PASSPHRASE"];
  const [key = "", secret = "", passphrase = ""] = names.map((name) => env[name]?.trim());
  const missing = names.filter((name) => !env[name]?.trim());
  if (missing.length > 0) throw new UsageError(`--yes needs ${missing.join(", ")} in the environment`);
  return { name: "main", key, secret, passphrase, schedule: defaultSchedule, timezone: env.TIMEZONE?.trim() || "UTC" };
}

/**
 * Asks for everything. Repeats a question once, at once, if the settings do not accept its answer.
 * @throws UsageError if the second answer is not accepted either, if it is cancelled, or `.env` is to be kept
 */
export async function askAll(questions: Questions, print: (line: string) => void): Promise<Answers> {
  if (
    existsSync(".env") &&
    !/^y(es)?$/i.test(await questions.ask(`${resolve(".env")} exists. Replace it? y or n`, "n"))
  )
    throw new UsageError("nothing was written");
  print(
    "Create the key at bitget.com: profile > API keys > create, kind HMAC or RSA, permission read-only, nothing else.",
  );
  const { key, secret, passphrase } = accounts.settings;
  return {
    name: await questions.ask("Name of the account", "main", nameProblem),
    key: await questions.askHidden("API key", problemFor(key)),
    secret: await questions.askHidden("Secret", problemFor(secret)),
    passphrase: await questions.askHidden("Passphrase", problemFor(passphrase)),
    schedule: await questions.ask(
      "Schedule of the snapshots, as cron",
      defaultSchedule,
      problemFor({ parse: schedule }),
    ),
    timezone: await questions.ask(
      "Time zone of days and reports",
      Intl.DateTimeFormat().resolvedOptions().timeZone,
      timezoneProblem,
    ),
  };
}

/** Returns what the program would say about an answer as the value of a setting. */
const problemFor =
  ({ parse }: Pick<Setting, "parse">): ProblemOf =>
  (answer) => {
    const problems: string[] = [];
    parse(answer, (problem) => problems.push(problem));
    return problems[0] ?? null;
  };

/** Returns the settings of the answers; those with their default value are left out. */
function settingsOf({ name, key, secret, passphrase, schedule, timezone }: Answers): Record<string, string> {
  const prefix = name === "main" ? "BITGET" : `BITGET_${name.toUpperCase()}`;
  return {
    ...(name === "main" ? {} : { BITGET_ACCOUNTS: name }),
    [`${prefix}_API_KEY`]: key,
    [`${prefix}_API_SECRET`]: secret,
    [`${prefix}_API_PASSPHRASE`]: passphrase,
    ...(timezone === "UTC" ? {} : { TIMEZONE: timezone }),
    ...(schedule === defaultSchedule
      ? {}
      : Object.fromEntries(snapshotDatasets.map((dataset) => [scheduleSetting(dataset.name), schedule]))),
  };
}

/**
 * Checks the answers, the key with the exchange, and writes `.env`. Resolves with the exit code; 1 if the exchange does not accept the
 * key, and nothing is written then. @throws ConfigError for invalid answers
 */
export async function writeSettings(
  answers: Answers,
  env: Environment,
  print: (line: string) => void,
): Promise<number> {
  const settings = settingsOf(answers);
  const others = Object.entries(env).filter(([name]) => !/^BITGET_(\w+_)?(API_\w+|ACCOUNTS\w*)$/.test(name));
  const config = loadConfig({ ...Object.fromEntries(others), ...settings });
  const text = fileText(settings);
  const problem = await keyProblem(config);
  if (problem !== null) {
    print(`${redactor(secretsOf(config))(problem)}\nNothing was written.`);
    return 1;
  }
  const path = resolve(".env");
  await writeAtomically(path, [text]);
  print(`The exchange accepts the key. ${path} was written; only you can read it.`);
  print("Next: `bitget-collector start` collects until it is stopped; `bitget-collector check` shows its next slots.");
  return 0;
}

/** Returns the text of `.env`. @throws ConfigError for a value that cannot be written there */
function fileText(settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(([name, value]) => {
    const quote = ["'", "`", '"'].find((one) => !value.includes(one)) ?? "'";
    return `${name}=${/^[\w./:+=-]+$/.test(value) ? value : `${quote}${value}${quote}`}\n`;
  });
  const text = lines.join("");
  const read = parseEnvFile(text).settings;
  const lost = Object.keys(settings).filter((name) => read[name] !== settings[name]);
  if (lost.length > 0) throw new ConfigError(lost.map((name) => `${name} cannot be written to .env; use ${name}_FILE`));
  return text;
}

/** Returns why the exchange, or this program, does not accept the key; null if it does. */
async function keyProblem(config: Config): Promise<string | null> {
  const clients = openClients({ ...config, logLevel: "silent" }, null);
  const options = { signal: AbortSignal.timeout(30_000) };
  try {
    const [session] = clients.sessions;
    if (!session) return "There is no account.";
    await session.client.measureOffset(options.signal);
    // Refuses a key that can write, unless the settings allow it.
    await session.api(options);
    return null;
  } catch (error) {
    if (!(error instanceof CollectorError)) throw error;
    const advice = networkAdvice(error);
    return advice ? `${error.message}; ${advice}` : error.message;
  } finally {
    clients.close();
  }
}
