/** Makes text from outside safe to show: replaces secrets and escapes control characters. */
import { Secret } from "./domain.ts";

const shortestForm = 8;

/** Returns every encoding in which a secret could occur in a text. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const hex = bytes.toString("hex");
  return [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(secret).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    new URLSearchParams({ "": secret }).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    hex,
    hex.toUpperCase(),
    ...(["base64", "base64url"] as const).flatMap((encoding) => [
      bytes.toString(encoding),
      ...[0, 1, 2].map((before) => insideOf(bytes, encoding, before)),
    ]),
  ].filter((form) => form.length >= shortestForm);
}

/** Returns the base64 characters that depend only on the secret when other bytes precede and follow it. */
const insideOf = (bytes: Buffer, encoding: "base64" | "base64url", before: number): string =>
  Buffer.concat([Buffer.alloc(before), bytes])
    .toString(encoding)
    .replace(/=+$/, "")
    .slice(before === 0 ? 0 : before + 1, -2);

/** Returns a function that replaces every form of every secret in a text; overlapping forms are replaced as one. */
export function redactor(secrets: readonly Secret[]): (text: string) => string {
  const longestAt = formFinder([...new Set(secrets.flatMap((secret) => formsOf(secret.reveal())))]);
  return (text) => {
    let safe = "";
    /** The end of the last match. */
    let end = 0;
    longestAt(text, (at, length) => {
      if (at >= end) safe += `${text.slice(end, at)}[secret]`;
      end = Math.max(end, at + length);
    });
    return end === 0 ? text : safe + text.slice(end);
  };
}

/** The multiplier of the rolling hash: the FNV prime. */
const base = 16_777_619;
/** The weight of the character that leaves the window: `base ** shortestForm` in 32 bits. */
const leadingWeight = Array.from({ length: shortestForm }).reduce<number>((weight) => Math.imul(weight, base), 1);

/**
 * Returns a function that finds all forms in a single pass over a text, regardless of their number: a hash of each window of
 * `shortestForm` characters (Rabin-Karp) selects the forms that may start there. Calls `found` from left to right with the
 * longest form that starts at a position.
 */
function formFinder(forms: readonly string[]): (text: string, found: (at: number, length: number) => void) => void {
  const byHash = new Map<number, string[]>();
  // Large enough that positions where no form starts are rarely compared.
  const may = new Uint8Array(2 ** (5 + Math.ceil(Math.log2(forms.length + 1))));
  const slot = (hash: number) => hash & (may.length - 1);
  for (const form of [...forms].sort((a, b) => b.length - a.length)) {
    let hash = 0;
    for (let at = 0; at < shortestForm; at += 1) hash = (Math.imul(hash, base) + form.charCodeAt(at)) | 0;
    byHash.set(hash, [...(byHash.get(hash) ?? []), form]);
    may[slot(hash)] = 1;
  }
  return (text, found) => {
    let hash = 0;
    for (let last = 0; last < text.length; last += 1) {
      const leaving = last >= shortestForm ? Math.imul(text.charCodeAt(last - shortestForm), leadingWeight) : 0;
      hash = (Math.imul(hash, base) + text.charCodeAt(last) - leaving) | 0;
      const at = last - shortestForm + 1;
      if (at < 0 || may[slot(hash)] === 0) continue;
      const form = byHash.get(hash)?.find((one) => text.startsWith(one, at));
      if (form !== undefined) found(at, form.length);
    }
  };
}

/** Escapes control characters, so that text from outside cannot forge a line or control a terminal. */
export const escapeControlChars = (text: string): string =>
  text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** Escapes control characters in every line of a text and keeps its line ends. */
export const escapeControlCharsInLines = (text: string): string => text.split("\n").map(escapeControlChars).join("\n");

/** Shorter parts of a URL are words; longer ones may be a token. */
const shortestToken = 16;

/** Returns a secret URL and the parts of it from which the URL could be reconstructed. */
export function secretsOfUrl(url: Secret): Secret[] {
  const text = url.reveal();
  if (!URL.canParse(text)) return [url];
  const { pathname, search, searchParams } = new URL(text);
  const parts = [...pathname.split("/").flatMap((part) => [part, part.replace(/^bot/, "")]), ...searchParams.values()];
  const tokens = parts.filter((part) => part.length >= shortestToken);
  return [url, ...[pathname + search, ...tokens].filter((part) => part.length > 1).map((part) => new Secret(part))];
}

/** Formats a duration given in milliseconds as seconds, minutes, hours or days. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** Returns an evenly distributed hash (FNV-1a) of a text, from 0 to 2 ** 32 - 1, the same on every machine. */
export function hashOf(text: string): number {
  let hash = 2_166_136_261;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, base);
  // Mixes the last bytes of the text into the upper bits.
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}

/** Groups names by text, in the order of the first occurrence of each text; a null name only adds the text. */
export function namesByText(entries: readonly (readonly [text: string, name: string | null])[]): [string, string[]][] {
  const names = new Map<string, string[]>();
  for (const [text, name] of entries) names.set(text, [...(names.get(text) ?? []), ...(name === null ? [] : [name])]);
  return [...names];
}

/** Returns a share (0 to 1) in percent with one decimal, never rounded up: 99.99 % is not 100 %. */
export const shareText = (share: number): string => `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
