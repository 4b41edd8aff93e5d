/** Reads the settings from the environment and `.env`, and finds settings of Node.js that would expose the keys. */
import { lstatSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Secret } from "../core/domain.ts";
import { ConfigError } from "../core/errors.ts";
import { secretsOfUrl } from "../core/text.ts";
import { isProxySetting, secretsOfProxy } from "../network/proxy.ts";
import { parseEnvFile } from "./env-syntax.ts";
import { codeOf, type FileBytes, isOpenToOthers, readWithMode, textOf } from "./file-text.ts";
import { isSecretSetting, nameProblem, strayNameProblem, unreadNameWarning } from "./names.ts";
import { accounts } from "./sections/accounts.ts";
import { secretsOfAccountsFile } from "./sections/accounts-file.ts";
import { storage } from "./sections/collecting.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the settings of `.env` in the working directory and of the environment, which takes precedence.
 * @throws ConfigError if the file cannot be read, is ambiguous, has a misspelt name, or contains keys and is readable by other users
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

/** Returns a warning for each variable whose name is close to a setting but may belong to another program. */
export const warnings = (env: Environment): string[] =>
  Object.keys(env)
    .filter((name) => env[name])
    .map((name) => unreadNameWarning(name, (setting) => Boolean(env[setting])))
    .filter((warning) => warning !== null);

/** Returns the settings of the file, none if it does not exist; adds to `problems`. */
function readEnvFile(path: string, problems: string[]): Environment {
  // A dangling link is an error, not a missing file.
  if (!lstatSync(path, { throwIfNoEntry: false })) return {};
  const { bytes, mode } = readSettings(path);
  const { text, problem } = textOf(bytes);
  if (problem !== null) {
    problems.push(`${path} ${problem}`);
    return {};
  }
  const { settings, lines, problems: found } = parseEnvFile(text);
  const holdsKeys = Object.entries(settings).some(([name, value]) => isSecret(name, value) && value.trim());
  if (holdsKeys && isOpenToOthers(mode))
    problems.push(`${path} contains keys and can be read by other users. Run: chmod 600 ${path}`);
  problems.push(...found.map((one) => `${path} ${one}`));
  for (const [name, line] of lines) {
    const problem = nameProblem(name);
    if (problem !== null) problems.push(`${path} line ${line}: ${problem}`);
  }
  return settings;
}

function readSettings(path: string): FileBytes {
  try {
    return readWithMode(path);
  } catch (error) {
    throw new ConfigError([
      `${path} cannot be read (${codeOf(error)}); make it a file that you may read, or remove it`,
    ]);
  }
}

/** Returns whether a variable holds a secret: a secret setting, or a URL with a password. */
export const isSecret = (name: string, value = ""): boolean =>
  isSecretSetting(name) || (mayHavePassword(name) && value.includes("@"));

const mayHavePassword = (name: string): boolean => isProxySetting(name) || name === storage.settings.database.name;

/** Returns the secrets among the settings, valid or not, to redact the stack trace of a bug. */
export function secretsIn(env: Environment): Secret[] {
  return Object.entries(env).flatMap(([name, value = ""]) => {
    if (mayHavePassword(name)) return secretsOfProxy(value.trim());
    if (isSecretSetting(name)) return secretsOfSetting(value.trim());
    if (name === accounts.settings.file.name) return secretsOfAccountsFile(value.trim());
    const setting = name.replace(/_FILE$/, "");
    if (!isSecretSetting(setting) && !mayHavePassword(setting)) return [];
    try {
      const text = readFileSync(value.trim(), "utf8").trim();
      return mayHavePassword(setting) ? secretsOfProxy(text) : secretsOfSetting(text);
    } catch {
      return [];
    }
  });
}

/** Returns the parts of a secret setting that are secrets themselves: it may be a URL with a password or a token. */
const secretsOfSetting = (text: string): Secret[] => [...secretsOfUrl(new Secret(text)), ...secretsOfProxy(text)];

/** Options of Node.js that write its memory, its environment or the keys of its connections to a file, or open a debugger. */
const unsafeOption = /--(report-|heapsnapshot-|tls-keylog|trace-tls|inspect|abort-on-uncaught-exception)/;

/** Returns a message for each setting of Node.js that could expose keys, without its value. */
export function unsafeNodeSettings({ NODE_DEBUG, NODE_OPTIONS, NODE_TLS_REJECT_UNAUTHORIZED }: Environment): string[] {
  const problems: string[] = [];
  if (NODE_DEBUG) problems.push("NODE_DEBUG is set, and its output can contain keys; unset it");
  if (NODE_TLS_REJECT_UNAUTHORIZED === "0")
    problems.push("NODE_TLS_REJECT_UNAUTHORIZED is 0: any server could impersonate the exchange; unset it");
  const [option] = unsafeOption.exec(NODE_OPTIONS ?? "") ?? [];
  if (option) problems.push(`NODE_OPTIONS has ${option}…, and its output can contain keys; remove it`);
  return problems;
}
