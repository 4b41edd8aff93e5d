/** Parsers of the values of settings. What each reports continues the name of the setting. */
import { isIP } from "node:net";
import { resolve } from "node:path";
import { type Pattern, parsePattern } from "../core/cron.ts";
import { multiply } from "../core/decimal.ts";
import { type Digits, Secret } from "../core/domain.ts";
import { isLoopback } from "../network/proxy.ts";
import { secretOf, secretProblem } from "./secret-value.ts";
import type { Parse } from "./setting.ts";

/** Takes one of the words, in any case; the first where it is none of them. */
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

/** A whole number from `least` to `most`; `unit` names what is counted. */
export const integer =
  (unit: string, least: number, most: number): Parse<number> =>
  (text, report) => {
    const number = /^\d+$/.test(text) ? Number.parseInt(text, 10) : Number.NaN;
    if (!(number >= least && number <= most))
      report(`is "${text.slice(0, 20)}"; it must be whole ${unit} from ${least} to ${most}`);
    return number;
  };

/** Items between commas, without blanks around them. */
export const items = (text: string): string[] => text.split(",").map((item) => item.trim());

/** A share above 0 % and up to 100 %, as exact digits: "10%" is 0.1. */
export const share: Parse<Digits> = (text, report) => {
  const [, digits = ""] = /^(\d{1,3}(?:\.\d{1,9})?) ?%$/.exec(text) ?? [];
  if (digits === "" || !(Number(digits) > 0 && Number(digits) <= 100))
    report(`is "${text.slice(0, 20)}"; it must be a share above 0 % and up to 100 %, as in 10%`);
  return multiply(digits || "0", "0.01");
};

/** A cron pattern in UTC; null for an empty text. */
export const schedule: Parse<Pattern | null> = (text, report) => {
  if (text.trim() === "") return null;
  try {
    return parsePattern(text.trim());
  } catch (error) {
    report(`("${text.trim().slice(0, 60)}") ${error instanceof Error ? error.message : "cannot be read"}`);
    return null;
  }
};

/** The absolute path of a folder. */
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

/** Nobody on the way can read what is sent there. */
const isSafe = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" || (protocol === "http:" && isLoopback(hostname.replace(/^\[|\]$/g, "")));

const urlOf = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null);

/** Scheme, host and port of a server. */
export const origin: Parse<string> = (text, report) => {
  const url = urlOf(text);
  if (!url || !isSafe(url)) report("must be an https:// address (http:// only for this machine itself)");
  else if (url.username || url.password) report("must not contain a user name or password");
  else if (url.pathname !== "/" || url.search || url.hash) report("must be a host alone, without a path");
  return url?.origin ?? "";
};

/** Shorter ones could not be kept out of the log reliably; the exchange's own are longer. */
const minSecretLength = 8;

/** A secret of at least so many characters. */
export const secret =
  (shortest = minSecretLength): Parse<Secret> =>
  (text, report) => {
    const value = secretOf(text);
    const problem = secretProblem(value, shortest);
    if (problem !== null) report(problem);
    return new Secret(value);
  };

/** An address that only this program and the receiver may know. */
export const secretUrl: Parse<Secret> = (text, report) => {
  const value = secret()(text, report);
  const url = urlOf(value.reveal());
  if (!url || !isSafe(url) || url.username || url.password)
    report("must be an https:// address without user name (http:// only for this machine itself)");
  return value;
};
