/** Reads accounts from a JSON file, for more than fit into an environment. No message contains a part of a secret. */
import { parse } from "lossless-json";
import { type Account, publicAccount, Secret } from "../../core/domain.ts";
import { codeOf, isOpenToOthers, readWithMode, textOf } from "../file-text.ts";
import type { Report, Setting } from "../setting.ts";

/** Matches the name of an account. */
export const accountName = /^[a-z][a-z0-9_]{0,31}$/i;

interface FileOptions {
  /** The names of the accounts that are read from elsewhere. */
  taken: readonly string[];
  /** How each field but the name is parsed, and what it is by default. */
  parsers: Record<"key" | "secret" | "passphrase", Setting<Secret, string>> & { api: Setting<Account["api"], string> };
  /** Receives the end of a sentence that begins with the name of the setting. */
  report: Report;
}

const fields = ["name", "key", "secret", "passphrase", "api_version"];

/** Reads the accounts of a file. Every problem is reported with the entry (counted from 1) and the field. */
export function readAccountsFile(path: string, { taken, parsers, report }: FileOptions): Account[] {
  const entries = readEntries(path, report);
  const names = new Set(taken.map((name) => name.toLowerCase()));
  if (entries?.length === 0 && taken.length === 0) report(`names ${path}, which holds no account`);
  return (entries ?? []).flatMap((entry, index): Account[] => {
    const number = `entry ${index + 1}`;
    if (entry === null || typeof entry !== "object" || Array.isArray(entry)) {
      report(`${number} is not an object with the fields ${fields.join(", ")}`);
      return [];
    }
    const values = new Map(Object.entries(entry));
    const given = values.get("name");
    const name = typeof given === "string" ? given : "";
    const problem = nameProblem(name, names);
    names.add(name.toLowerCase());
    const label = problem === null ? `${number} (${name})` : number;
    if (problem !== null) report(`${label}: ${problem}`);
    for (const field of values.keys())
      if (!fields.includes(field)) report(`${label}: ${unknownField(field)}; the fields are ${fields.join(", ")}`);
    const value = <T>(field: string, { default: fallback, parse }: Setting<T, string>): T => {
      const text = values.get(field) ?? fallback;
      if (typeof text !== "string") report(`${label}: ${field} must be text in quotes`);
      return parse(typeof text === "string" ? text.trim() : fallback, (wrong) => {
        if (typeof text === "string") report(`${label}: ${field} ${wrong}`);
      });
    };
    return [
      {
        name,
        key: value("key", parsers.key),
        secret: value("secret", parsers.secret),
        passphrase: value("passphrase", parsers.passphrase),
        api: value("api_version", parsers.api),
      },
    ];
  });
}

/** Returns the secrets of a file, valid or not, for redaction; none if it cannot be read. */
export function secretsOfAccountsFile(path: string): Secret[] {
  const entries = readEntries(path, () => {}) ?? [];
  return entries.flatMap((entry) =>
    Object.entries(entry ?? {}).flatMap(([field, text]) =>
      typeof text === "string" && !["name", "api_version"].includes(field) ? [new Secret(text.trim())] : [],
    ),
  );
}

/** Returns the list that the file holds; null if it holds none. */
function readEntries(path: string, report: Report): unknown[] | null {
  try {
    const { bytes, mode } = readWithMode(path);
    if (isOpenToOthers(mode)) report(`names ${path}, which can be read by other users. Run: chmod 600 ${path}`);
    const { text, problem } = textOf(bytes);
    if (problem !== null) report(`names ${path}, which ${problem}`);
    return text === null ? null : parseEntries(text, (wrong) => report(`names ${path}, which ${wrong}`));
  } catch (error) {
    report(`names ${path}, which cannot be read (${codeOf(error)})`);
    return null;
  }
}

function parseEntries(text: string, report: Report): unknown[] | null {
  try {
    const list = parse(text);
    if (Array.isArray(list)) return list;
    report("must hold a list: [{…}, {…}]");
  } catch (error) {
    // The message of the parser can contain a part of the text, and so of a secret.
    const [, position = text.length] = /position (\d+)/.exec(String(error)) ?? [];
    const line = text.slice(0, Number(position)).split("\n").length;
    report(`is not valid JSON, or has a field twice (line ${line})`);
  }
  return null;
}

/** Returns what is wrong with a name. An invalid one is not repeated: it may be a key in the wrong field. */
function nameProblem(name: string, taken: ReadonlySet<string>): string | null {
  if (!accountName.test(name)) return "name must be a letter and then at most 31 letters, digits or _";
  if (name.toLowerCase() === publicAccount) return `name cannot be "${name}"; it stands for public data`;
  return taken.has(name.toLowerCase()) ? `name "${name}" is that of another account` : null;
}

/** Names a field only if it is a word: it may be a key in the wrong place. */
const unknownField = (field: string): string =>
  /^[a-z_]{1,20}$/i.test(field) ? `${field} is no field` : "has a field without a known name";
