/** Parses `.env` files, and reports ambiguous lines with their number and the fix. */
import { isKnownSetting, isSecretSetting } from "./names.ts";

export interface EnvFile {
  settings: Record<string, string>;
  /** The line of each name, counted from 1; for a repeated name the last one, whose value counts. */
  lines: Map<string, number>;
  /** Each begins with the line. None contains a part of a value. */
  problems: string[];
}

const blank = /[^\S\n]*(?:#[^\n]*)?(?:\n|$)/y;
const setting = /[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][\w.-]*)[^\S\n]*=/y;
const quoted = /[^\S\n]*(["'`])([\s\S]*?)\1([^\n]*)(?:\n|$)/y;
const plain = /([^\n]*)(?:\n|$)/y;
const withColon = /^\s*["']?(\w+)["']?\s*:/;

/**
 * Parses the text of a `.env` by the rules of dotenv and Node.js. Cases in which those lose a part of a value are reported as
 * problems; `util.parseEnv` is not used because it ignores them, and differs between versions.
 */
export function parseEnvFile(text: string): EnvFile {
  const file: EnvFile = { settings: {}, lines: new Map(), problems: [] };
  const source = text.replaceAll("\r\n", "\n");
  if (source.includes("\r"))
    return { ...file, problems: ["has lines that end in CR alone; save it with line ends LF"] };
  let at = 0;
  let line = 1;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (!match) return null;
    at += match[0].length;
    line += match[0].split("\n").length - 1;
    return match;
  };
  while (at < source.length) {
    if (next(blank)) continue;
    const begin = line;
    const name = next(setting)?.[1];
    if (name === undefined) {
      file.problems.push(`line ${begin} ${strayProblem(next(plain)?.[1] ?? "")}`);
      continue;
    }
    const [, quote, inside = "", rest = ""] = next(quoted) ?? [];
    const bare = quote ? "" : (next(plain)?.[1] ?? "");
    const problem = quote ? restProblem(name, rest) : valueProblem(name, bare);
    if (problem && isKnownSetting(name)) file.problems.push(`line ${begin}: ${problem}`);
    file.lines.set(name, begin);
    if (!quote) file.settings[name] = bare.replace(/#.*$/, "").trim();
    else file.settings[name] = quote === '"' ? inside.replaceAll("\\n", "\n") : inside;
  }
  return file;
}

/** Returns what is wrong with a line that is neither a setting nor a comment. */
function strayProblem(text: string): string {
  const name = withColon.exec(text)?.[1]?.toUpperCase() ?? "";
  if (isKnownSetting(name)) return `has a colon after ${name}; write ${name}=value`;
  return "is neither NAME=value nor a comment; a value of several lines needs quotes around it";
}

/** Returns what is wrong with the text after a closing quote; null if nothing. */
const restProblem = (name: string, rest: string): string | null =>
  /^\s*$|^\s+#/.test(rest)
    ? null
    : `there is text after the closing quote of ${name}, which would be cut off; quote the whole value with quotes that it does not contain`;

/** Returns what is wrong with a value without quotes, whose end Node.js, dotenv, Docker and systemd do not agree on; null if nothing. */
function valueProblem(name: string, value: string): string | null {
  if (/^\s*["'`]/.test(value)) return `the quote before the value of ${name} is not closed`;
  const hash = value.indexOf("#");
  const before = value.slice(0, Math.max(hash, 0));
  const isComment = /\s$/.test(before) && (before.trim() === "" || !isSecretSetting(name));
  if (hash < 0 || isComment) return null;
  const quote = value.includes("'") ? '"' : "'";
  const advice = `put the value in quotes (${name}=${quote}…${quote}), and a comment on a line of its own`;
  return `${name} would be cut off at its #; ${advice}`;
}
