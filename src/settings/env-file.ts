/** What surrounds the program: its settings, and settings of Node.js that would let the keys among them out. */
import { closeSync, fstatSync, lstatSync, openSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Secret } from "../core/domain.ts";
import { ConfigError } from "../core/errors.ts";
import { secretsOfUrl } from "../core/text.ts";
import { isProxySetting, secretsOfProxy } from "../network/proxy.ts";
import { parseEnvFile } from "./env-syntax.ts";
import { textOf } from "./file-text.ts";
import { isSecretSetting, nameProblem, strayNameProblem, unreadNameWarning } from "./names.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `.env` of the working directory below the real environment, which wins.
 * @throws ConfigError where the file cannot be read or would be read otherwise than it was meant, holds keys that others can
 * read too, or has a misspelt name
 */
export function environment(directory = process.cwd(), env: Environment = process.env): Environment {
  const path = resolve(directory, ".env");
  const problems: string[] = [];
  const all = { ...readEnvFile(path, problems), ...env };
  for (const name of Object.keys(env).filter((one) => env[one])) {
    const problem = strayNameProblem(name, (setting) => Boolean(all[setting]));
    if (problem !== null) problems.push(`In the environment, ${problem}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return all;
}

/** Returns a sentence for each variable that is nearly a setting and may be another program's: a warning, no refusal. */
export const warnings = (env: Environment): string[] =>
  Object.keys(env)
    .filter((name) => env[name])
    .map((name) => unreadNameWarning(name, (setting) => Boolean(env[setting])))
    .filter((warning) => warning !== null);

/** None where there is no such file. */
function readEnvFile(path: string, problems: string[]): Environment {
  // A link that leads nowhere is not a file that is not there.
  if (!lstatSync(path, { throwIfNoEntry: false })) return {};
  const { bytes, mode } = readSettings(path);
  const { text, problem } = textOf(bytes);
  if (problem !== null) {
    problems.push(`${path} ${problem}`);
    return {};
  }
  const { settings, lines, problems: found } = parseEnvFile(text);
  const holdsKeys = Object.entries(settings).some(([name, value]) => isSecret(name, value) && value.trim());
  if (holdsKeys && (mode & 0o077) !== 0 && process.platform !== "win32")
    problems.push(`${path} holds keys and can be read by others. Run: chmod 600 ${path}`);
  problems.push(...found.map((one) => `${path} ${one}`));
  for (const [name, line] of lines) {
    const problem = nameProblem(name);
    if (problem !== null) problems.push(`${path} line ${line}: ${problem}`);
  }
  return settings;
}

function readSettings(path: string): { bytes: Buffer; mode: number } {
  try {
    const file = openSync(path, "r");
    try {
      return { bytes: readFileSync(file), mode: fstatSync(file).mode };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const { code = "unreadable" } = error as NodeJS.ErrnoException;
    throw new ConfigError([`${path} cannot be read (${code}); make it a file that you may read, or remove it`]);
  }
}

/** Tells whether a variable holds what nobody else may see: a secret setting, or a proxy with a password in its address. */
export const isSecret = (name: string, value = ""): boolean =>
  isSecretSetting(name) || (isProxySetting(name) && value.includes("@"));

/** The keys among the settings, before anybody has looked whether they are any good: to be kept out of what a bug prints. */
export function secretsIn(env: Environment): Secret[] {
  return Object.entries(env).flatMap(([name, value = ""]) => {
    if (isProxySetting(name)) return secretsOfProxy(value.trim());
    if (isSecretSetting(name)) return secretsOfUrl(new Secret(value.trim()));
    const setting = name.replace(/_FILE$/, "");
    if (!isSecretSetting(setting) && !isProxySetting(setting)) return [];
    try {
      const text = readFileSync(value.trim(), "utf8").trim();
      return isProxySetting(setting) ? secretsOfProxy(text) : secretsOfUrl(new Secret(text));
    } catch {
      return [];
    }
  });
}

/** Options of Node.js that write down its memory, its environment or the keys of its connections, or let others look in. */
const unsafeOption = /--(report-|heapsnapshot-|tls-keylog|trace-tls|inspect|abort-on-uncaught-exception)/;

/** A sentence for each, with what to do; none holds a value. */
export function unsafeNodeSettings({ NODE_DEBUG, NODE_OPTIONS, NODE_TLS_REJECT_UNAUTHORIZED }: Environment): string[] {
  const problems: string[] = [];
  if (NODE_DEBUG) problems.push("NODE_DEBUG is set, and what it prints can hold keys; unset it");
  if (NODE_TLS_REJECT_UNAUTHORIZED === "0")
    problems.push("NODE_TLS_REJECT_UNAUTHORIZED is 0: anybody could pass for the exchange; unset it");
  const [option] = unsafeOption.exec(NODE_OPTIONS ?? "") ?? [];
  if (option) problems.push(`NODE_OPTIONS has ${option}…, and what it writes or shows can hold keys; take it out`);
  return problems;
}
