/** Parsers of the values of settings. Problems are reported as the end of a sentence that begins with the name of the setting. */
import { isIP } from "node:net";
import { resolve } from "node:path";
import { type Pattern, parsePattern } from "../core/cron.ts";
import { multiply } from "../core/decimal.ts";
import { type DecimalString, Secret } from "../core/domain.ts";
import { isLoopback } from "../network/proxy.ts";
import { secretOf, secretProblem } from "./secret-value.ts";
import type { Parse } from "./setting.ts";

/** Parses one of the given words, in any case. */
export const choice =
  <const T extends string>(first: T, ...others: readonly T[]): Parse<T> =>
  (text, report) => {
    const value = text.toLowerCase();
    const all = [first, ...others];
    const found = all.find((one) => one === value);
    if (found === undefined) report(`is "${value}"; it can be ${all.join(", ")}`);
    return found ?? first;
  };

const word = choice("true", "false", "1", "0");
export const flag: Parse<boolean> = (text, report) => ["true", "1"].includes(word(text, report));

/** Parses a whole number from `min` to `max`; `unit` names what is counted. */
export const integer =
  (unit: string, min: number, max: number): Parse<number> =>
  (text, report) => {
    const number = /^\d+$/.test(text) ? Number.parseInt(text, 10) : Number.NaN;
    if (!(number >= min && number <= max))
      report(`is "${text.slice(0, 20)}"; it must be whole ${unit} from ${min} to ${max}`);
    return number;
  };

/** Splits a list at its commas and trims the items. */
export const items = (text: string): string[] => text.split(",").map((item) => item.trim());

/** Parses a share above 0 % and up to 100 % into an exact decimal: "10%" is 0.1. */
export const share: Parse<DecimalString> = (text, report) => {
  const [, digits = ""] = /^(\d{1,3}(?:\.\d{1,9})?) ?%$/.exec(text) ?? [];
  if (digits === "" || !(Number(digits) > 0 && Number(digits) <= 100))
    report(`is "${text.slice(0, 20)}"; it must be a share above 0 % and up to 100 %, as in 10%`);
  return multiply(digits || "0", "0.01");
};

/** Parses a cron pattern in UTC; null for an empty text. */
export const schedule: Parse<Pattern | null> = (text, report) => {
  if (text.trim() === "") return null;
  try {
    return parsePattern(text.trim());
  } catch (error) {
    report(`("${text.trim().slice(0, 60)}") ${error instanceof Error ? error.message : "cannot be read"}`);
    return null;
  }
};

/** Parses the path of a folder into an absolute one. */
export const folder =
  (example: string): Parse<string> =>
  (text, report) => {
    const path = text.trim();
    if (path === "" || path.includes("\0")) report(`must name a folder, as in ${example}`);
    return resolve(path);
  };

const hostPattern = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

export const isHostName = (text: string): boolean => hostPattern.test(text);
export const isHost = (text: string): boolean => isIP(text) !== 0 || isHostName(text);

/** Returns whether requests to the URL cannot be read on the way: it is https, or on this machine. */
const isSafe = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" || (protocol === "http:" && isLoopback(hostname.replace(/^\[|\]$/g, "")));

const urlOf = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null);

/** Parses the base URL of a server: scheme, host and port. */
export const origin: Parse<string> = (text, report) => {
  const url = urlOf(text);
  if (!url || !isSafe(url)) report("must be an https:// address (http:// only for this machine itself)");
  else if (url.username || url.password) report("must not contain a user name or password");
  else if (url.pathname !== "/" || url.search || url.hash) report("must be a host alone, without a path");
  return url?.origin ?? "";
};

/** Shorter secrets could not be redacted reliably; those of the exchange are longer. Characters. */
const minSecretLength = 8;

/** Parses a secret of at least `minLength` characters. */
export const secret =
  (minLength = minSecretLength): Parse<Secret> =>
  (text, report) => {
    const value = secretOf(text);
    const problem = secretProblem(value, minLength);
    if (problem !== null) report(problem);
    return new Secret(value);
  };

/** Parses a URL that is a secret itself. */
export const secretUrl: Parse<Secret> = (text, report) => {
  const value = secret()(text, report);
  const url = urlOf(value.reveal());
  if (!url || !isSafe(url) || url.username || url.password)
    report("must be an https:// address without user name (http:// only for this machine itself)");
  return value;
};
