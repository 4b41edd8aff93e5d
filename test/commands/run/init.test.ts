import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { askAll } from "../../../src/commands/run/init.ts";
import { Questions } from "../../../src/commands/terminal/questions.ts";
import { startExchange } from "../../support/exchange.ts";
import { temporaryFolder } from "../../support/files.ts";
import { runInProcess } from "../../support/in-process.ts";
import { classic, credentials } from "../../support/settings.ts";
import { hasTerminals, runOnTerminal } from "../../support/terminal.ts";

let folder: string;
const file = () => join(folder, ".env");
const init = (env: Record<string, string>) => runInProcess(["init", "--yes"], folder, env);

beforeEach(() => {
  folder = temporaryFolder();
});

async function exchangeOf(account: typeof classic): Promise<{ BITGET_BASE_URL: string }> {
  const exchange = await startExchange({ accounts: [account] });
  onTestFinished(() => exchange.close());
  return { BITGET_BASE_URL: exchange.url };
}

it("writes settings that the program reads, for this user only, and never replaces them unasked", async () => {
  const passphrase = 'it\'s a #1 "phrase"';
  const account = { ...classic, passphrase };
  const host = await exchangeOf(account);
  const { code, stdout } = await init({ ...host, ...credentials(account), TIMEZONE: "Europe/Berlin" });
  expect([code, stdout]).toEqual([0, expect.stringContaining("Next: `bitget-collector start`")]);
  expect(stdout).not.toContain(account.secret);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect((await runInProcess(["get", "v2/spot-assets"], folder, host)).code).toBe(0);
  const before = readFileSync(file(), "utf8");
  expect(before).toContain("TIMEZONE=Europe/Berlin\n");
  expect((await init({ ...host, ...credentials(account) })).code).toBe(78);
  expect(readFileSync(file(), "utf8")).toBe(before);
});

it.each([
  ["a wrong passphrase", { BITGET_API_PASSPHRASE: "wrong-passphrase" }, 1, /40012/],
  ["an invalid time zone", { TIMEZONE: "Mars/Olympus" }, 78, /TIMEZONE/],
  ["an exchange that does not answer", { BITGET_BASE_URL: "http://127.0.0.1:9" }, 1, /; check this machine's network/],
  ["no key", { BITGET_API_KEY: "" }, 64, /--yes needs BITGET_API_KEY in the environment/],
])("writes nothing with %s", async (_, change, code, problem) => {
  const found = await init({ ...(await exchangeOf(classic)), ...credentials(classic), ...change });
  expect([found.code, found.stdout + found.stderr]).toEqual([code, expect.stringMatching(problem)]);
  expect(found.stdout + found.stderr).not.toContain("wrong-passphrase");
  expect(existsSync(file())).toBe(false);
});

it("refuses a key that can write unless a setting allows it", async () => {
  const account = { ...classic, permissions: "trade" as const };
  const env = { ...(await exchangeOf(account)), ...credentials(account) };
  expect(await init(env)).toMatchObject({ code: 1, stdout: expect.stringContaining("is not read-only") });
  expect(existsSync(file())).toBe(false);
  expect((await init({ ...env, BITGET_ALLOW_WRITE_KEYS: "true" })).code).toBe(0);
});

it("needs a terminal to ask", async () => {
  expect(await runInProcess(["init"], folder)).toMatchObject({ code: 64, stderr: expect.stringContaining("--yes") });
});

/** Types each answer when its question is shown. */
function typed(answers: readonly string[]): { questions: Questions; shown(): string } {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const left = [...answers];
  let shown = "";
  output.on("data", (text: Buffer) => {
    shown += text;
    const answer = /: $/.test(shown) ? left.shift() : undefined;
    if (answer !== undefined) setImmediate(() => input.write(`${answer}\n`));
  });
  const questions = new Questions(input, output);
  onTestFinished(() => questions.close());
  return { questions, shown: () => shown };
}

it("asks for everything, shows no secret, and takes the defaults for empty answers", async () => {
  const { questions, shown } = typed(["hedge", "bg_key_of_hedge", "very-secret", "pass-phrase", "", "UTC"]);
  expect(await askAll(questions, () => {})).toEqual({
    ...{ name: "hedge", key: "bg_key_of_hedge", secret: "very-secret", passphrase: "pass-phrase" },
    ...{ schedule: "*/5 * * * *", timezone: "UTC" },
  });
  expect(shown()).toContain("Name of the account [main]: ");
  for (const secret of ["bg_key_of_hedge", "very-secret", "pass-phrase"]) expect(shown()).not.toContain(secret);
});

const rejected = [
  ["Name of the account", "2nd", "hedge", /^Name of the account has the name "2nd"; a name is a letter/],
  ["API key", "tiny-1", "bg_key_of_hedge", /^API key is shorter than 8 characters/],
  ["Secret", "tiny-1", "very-secret", /^Secret is shorter than 8 characters/],
  ["Passphrase", "tiny-1", "pass-phrase", /^Passphrase is shorter than 8 characters/],
  [
    "Schedule of the snapshots, as cron",
    "hourly",
    "0 * * * *",
    /^Schedule of the snapshots, as cron \("hourly"\) has 1/,
  ],
  [
    "Time zone of days and reports",
    "Mars/Olympus",
    "UTC",
    /^Time zone of days and reports is "Mars\/Olympus"; it must/,
  ],
] as const;

it.each(rejected)(
  "says at once what is wrong with the answer to %s, and asks for it once more",
  async (question, wrong) => {
    const answers = rejected.flatMap(([name, , good]) => (name === question ? [wrong, good] : [good]));
    const { questions, shown } = typed(answers);
    expect(Object.values(await askAll(questions, () => {}))).toEqual(rejected.map(([, , good]) => good));
    // The question, what is wrong, and the question again.
    expect(shown().split(question)).toHaveLength(4);
  },
);

it.each(rejected)("ends after a second wrong answer to %s", async (question, wrong, _, problem) => {
  const before = rejected
    .slice(
      0,
      rejected.findIndex(([name]) => name === question),
    )
    .map(([, , good]) => good);
  const { questions, shown } = typed([...before, wrong, wrong]);
  await expect(askAll(questions, () => {})).rejects.toThrow(problem);
  if (wrong === "tiny-1") expect(shown()).not.toContain(wrong);
});

describe.skipIf(!hasTerminals)("on a terminal", () => {
  it("asks for a key that is too short once more, before the next question", async () => {
    const host = await exchangeOf(classic);
    const { code, stdout } = await runOnTerminal(["init"], folder, host, [
      ["Name of the account [main]: ", "\r"],
      ["API key (hidden): ", "tiny-1\r"],
      ["API key is shorter than 8 characters.\r\nAPI key (hidden): ", `${classic.key}\r`],
      ["Secret (hidden): ", `${classic.secret}\r`],
      ["Passphrase (hidden): ", `${classic.passphrase}\r`],
      ["Schedule of the snapshots", "\r"],
      ["Time zone of days and reports", "UTC\r"],
    ]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("The exchange accepts the key.")]);
    expect(stdout).not.toContain("tiny-1\r");
    expect(readFileSync(file(), "utf8")).toContain(`BITGET_API_KEY=${classic.key}\n`);
  });

  it("names the question at which it was cancelled", async () => {
    const { code, stdout } = await runOnTerminal(["init"], folder, {}, [
      ["Name of the account [main]: ", "\r"],
      ["API key (hidden): ", "\u0004"],
    ]);
    expect([code, stdout]).toEqual([64, expect.stringContaining('cancelled at "API key"; nothing was written')]);
  });
});

it("keeps an existing .env unless the answer is yes", async () => {
  writeFileSync(file(), "TIMEZONE=UTC\n", { mode: 0o600 });
  const before = process.cwd();
  process.chdir(folder);
  onTestFinished(() => process.chdir(before));
  await expect(askAll(typed([""]).questions, () => {})).rejects.toThrow("nothing was written");
});

it("is what a command without keys recommends, until there is an .env", async () => {
  const before = process.cwd();
  process.chdir(folder);
  onTestFinished(() => process.chdir(before));
  const hint = "`bitget-collector init` asks for what is needed";
  expect(await runInProcess(["collect"], folder, {})).toMatchObject({
    code: 78,
    stderr: expect.stringContaining(hint),
  });
  const alerts = await runInProcess(["alerts", "test"], folder, {});
  expect([alerts.code, alerts.stderr]).toEqual([78, expect.not.stringContaining(hint)]);
  writeFileSync(file(), "BITGET_API_KEY=\n", { mode: 0o600 });
  const later = await runInProcess(["collect"], folder, {});
  expect([later.code, later.stderr]).toEqual([78, expect.not.stringContaining(hint)]);
});
