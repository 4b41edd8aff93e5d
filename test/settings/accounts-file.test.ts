import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { loadConfig, secretsOf } from "../../src/settings/config.ts";
import { secretsIn } from "../../src/settings/env-file.ts";
import { temporaryFolder } from "../support/files.ts";
import { classic, credentials, unified } from "../support/settings.ts";

const entryOf = ({ name, key, secret, passphrase }: typeof classic) => ({ name, key, secret, passphrase });
const hedge = entryOf(unified);
const desk = { ...hedge, name: "desk", key: "bg_desk0123456789abcdef0123456789a" };

/** Writes the file; `content` is JSON or the text itself. */
function fileOf(content: unknown, mode = 0o600): string {
  const path = join(temporaryFolder(), "accounts.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  chmodSync(path, mode);
  return path;
}

const accountsIn = (env: Record<string, string>) =>
  loadConfig(env).accounts.map(({ name, key, secret, passphrase, api }) => [
    name,
    ...[key, secret, passphrase].map((one) => one.reveal()),
    api,
  ]);

/** Returns the problems, with the path as PATH. */
function problemsOf(path: string, env: Record<string, string> = {}): string[] {
  try {
    loadConfig({ ...env, BITGET_ACCOUNTS_FILE: path });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.replaceAll(path, "PATH"));
    throw error;
  }
}

const valuesOf = ({ name, key, secret, passphrase }: typeof hedge, api: string) => [name, key, secret, passphrase, api];

it("without a key in the environment, only the accounts of the file are used", () => {
  const path = fileOf([hedge, { ...desk, api_version: "V3" }]);
  expect(accountsIn({ BITGET_ACCOUNTS_FILE: path })).toEqual([valuesOf(hedge, "auto"), valuesOf(desk, "v3")]);
  expect(accountsIn({ BITGET_ACCOUNTS_FILE: path, BITGET_API_VERSION: "v2" })[0]).toEqual(valuesOf(hedge, "v2"));
});

it("accounts of the environment come first, and those of the file in addition", () => {
  const names = (env: Record<string, string>) =>
    accountsIn({ ...env, BITGET_ACCOUNTS_FILE: fileOf([desk]) }).map(([name]) => name);
  expect(names(credentials(classic))).toEqual(["main", "desk"]);
  expect(names(credentials(classic, "BITGET_MAIN"))).toEqual(["main", "desk"]);
  const both = { ...credentials(classic), ...credentials(unified, "BITGET_HEDGE"), BITGET_ACCOUNTS: "main,hedge" };
  expect(names(both)).toEqual(["main", "hedge", "desk"]);
});

it.each<[string, unknown, string[]]>([
  ["no list", { accounts: [hedge] }, ["names PATH, which must hold a list: [{…}, {…}]"]],
  ["no account", [], ["names PATH, which holds no account"]],
  ["no JSON", '[\n{"name": "hedge",\n"key" }]', ["names PATH, which is not valid JSON, or has a field twice (line 3)"]],
  [
    "a field twice",
    `[{"name": "hedge",\n"name": "desk"}]`,
    ["names PATH, which is not valid JSON, or has a field twice (line 2)"],
  ],
  ["UTF-16", "\0[\0]\0", ["names PATH, which is in UTF-16, as PowerShell's > writes it; save it as UTF-8"]],
  [
    "no object",
    [hedge, "desk"],
    ["entry 2 is not an object with the fields name, key, secret, passphrase, api_version"],
  ],
  [
    "no name",
    [{ ...hedge, name: undefined }],
    ["entry 1: name must be a letter and then at most 31 letters, digits or _"],
  ],
  [
    "a name that is not text",
    [{ ...hedge, name: true }],
    ["entry 1: name must be a letter and then at most 31 letters, digits or _"],
  ],
  [
    "a key as the name",
    [{ ...hedge, name: desk.key }],
    ["entry 1: name must be a letter and then at most 31 letters, digits or _"],
  ],
  [
    "the name of public data",
    [{ ...hedge, name: "Public" }],
    ['entry 1: name cannot be "Public"; it stands for public data'],
  ],
  ["a name twice", [hedge, { ...desk, name: "HEDGE" }], ['entry 2: name "HEDGE" is that of another account']],
  ["a key twice", [hedge, { ...desk, key: hedge.key }], ['has the same API key under "hedge" and "desk"']],
  ["a field left out", [{ ...hedge, secret: undefined }], ["entry 1 (hedge): secret is missing"]],
  ["a number", [{ ...hedge, passphrase: 123456789 }], ["entry 1 (hedge): passphrase must be text in quotes"]],
  ["null", [{ ...hedge, passphrase: null }], ["entry 1 (hedge): passphrase is missing"]],
  ["a placeholder", [{ ...hedge, key: "your-key" }], ["entry 1 (hedge): key is still a placeholder"]],
  ["a short secret", [{ ...hedge, secret: "short" }], ["entry 1 (hedge): secret is shorter than 8 characters"]],
  [
    "a version",
    [{ ...hedge, api_version: "v4" }],
    ['entry 1 (hedge): api_version is "v4"; it can be auto, v1, v2, v3'],
  ],
  [
    "a misspelt field",
    [{ ...hedge, passphrse: hedge.passphrase }],
    ["entry 1 (hedge): passphrse is no field; the fields are name, key, secret, passphrase, api_version"],
  ],
  [
    "a key as a field",
    [{ ...hedge, [desk.key]: "" }],
    ["entry 1 (hedge): has a field without a known name; the fields are name, key, secret, passphrase, api_version"],
  ],
  [
    "several problems",
    [{ name: "hedge" }, { ...desk, key: "" }],
    [
      "entry 1 (hedge): key is missing",
      "entry 1 (hedge): secret is missing",
      "entry 1 (hedge): passphrase is missing",
      "entry 2 (desk): key is missing",
    ],
  ],
])("a file with %s is refused with the entry and the field", (_, content, problems) => {
  const path = fileOf(content);
  expect(problemsOf(path)).toEqual(problems.map((problem) => `BITGET_ACCOUNTS_FILE ${problem}`));
});

it("an account of the file cannot have the name or the key of an account of the environment", () => {
  const problems = problemsOf(fileOf([{ ...hedge, name: "main", key: classic.key }]), credentials(classic));
  expect(problems).toEqual([
    'BITGET_ACCOUNTS_FILE entry 1: name "main" is that of another account',
    'BITGET_ACCOUNTS_FILE has the same API key under "main" and "main"',
  ]);
});

it.each([0o640, 0o604, 0o620])("a file of mode %o is refused, and the message has the chmod command", (mode) => {
  expect(problemsOf(fileOf([hedge], mode))).toEqual([
    "BITGET_ACCOUNTS_FILE names PATH, which can be read by other users. Run: chmod 600 PATH",
  ]);
});

it("a missing file is refused", () => {
  expect(problemsOf("/nowhere/accounts.json")).toEqual([
    "BITGET_ACCOUNTS_FILE names PATH, which cannot be read (ENOENT)",
  ]);
});

it("the keys of the file are secrets, valid or not, and no problem shows one", () => {
  const path = fileOf([hedge, desk]);
  const all = [hedge, desk].flatMap(({ key, secret, passphrase }) => [key, secret, passphrase]);
  for (const secrets of [
    secretsOf(loadConfig({ BITGET_ACCOUNTS_FILE: path })),
    secretsIn({ BITGET_ACCOUNTS_FILE: path }),
  ])
    expect(secrets.map((secret) => secret.reveal())).toEqual(all);
  expect(secretsIn({ BITGET_ACCOUNTS_FILE: fileOf([{ key: "1" }, null]) })).toHaveLength(1);
  const broken = fileOf(JSON.stringify([hedge]).replace('",', '"'));
  expect(problemsOf(broken)).toHaveLength(1);
  expect(
    [hedge.key, hedge.secret, hedge.passphrase].some((secret) =>
      problemsOf(broken).join().includes(secret.slice(0, 8)),
    ),
  ).toBe(false);
});
