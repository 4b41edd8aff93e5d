/** Text from outside made safe to show: secrets taken out, control characters made visible. */
import { Secret } from "./domain.ts";

const shortestForm = 8;

/** Every form in which a secret could turn up in a text. */
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

/** Of base64 in which others stand before and behind the secret: the characters that depend on the secret alone. */
const insideOf = (bytes: Buffer, encoding: "base64" | "base64url", before: number): string =>
  Buffer.concat([Buffer.alloc(before), bytes])
    .toString(encoding)
    .replace(/=+$/, "")
    .slice(before === 0 ? 0 : before + 1, -2);

/** Returns a function that replaces every form of every secret in a text; forms that overlap are replaced as one. */
export function redactor(secrets: readonly Secret[]): (text: string) => string {
  const longestAt = formFinder([...new Set(secrets.flatMap((secret) => formsOf(secret.reveal())))]);
  return (text) => {
    let safe = "";
    /** Where what was found last ends. */
    let end = 0;
    longestAt(text, (at, length) => {
      if (at >= end) safe += `${text.slice(end, at)}[secret]`;
      end = Math.max(end, at + length);
    });
    return end === 0 ? text : safe + text.slice(end);
  };
}

/** Any odd number spreads; this one is that of FNV. */
const base = 16_777_619;
/** By how much the first character of a window counts: `base ** shortestForm` as 32 bits. */
const leadingWeight = Array.from({ length: shortestForm }).reduce<number>((weight) => Math.imul(weight, base), 1);

/**
 * Finds any of many forms in one walk through a text, however many they are: a hash of each window of `shortestForm` characters
 * (Rabin-Karp) selects the forms that may begin there. Calls `found` from left to right with the longest form that begins at a place.
 */
function formFinder(forms: readonly string[]): (text: string, found: (at: number, length: number) => void) => void {
  const byHash = new Map<number, string[]>();
  // Large enough that a position where no form begins is rarely compared.
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

/** Control characters become visible escapes, so that no text from outside can forge a line or drive a terminal. */
export const escapeControlChars = (text: string): string =>
  text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** The same of each line of a text whose line ends are its own. */
export const escapeControlCharsInLines = (text: string): string => text.split("\n").map(escapeControlChars).join("\n");

/** Shorter parts of an address are words; longer ones may be the token in it. */
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

/** Returns a whole number from 0 to 2 ** 32 - 1 that is the same for a text on every machine, and spread evenly (FNV-1a). */
export function hashOf(text: string): number {
  let hash = 2_166_136_261;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, base);
  // The last bytes of a text would hardly reach the upper bits.
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}

/** Groups names by text, in the order of the first occurrence of each text; null is no name. */
export function namesByText(entries: readonly (readonly [text: string, name: string | null])[]): [string, string[]][] {
  const names = new Map<string, string[]>();
  for (const [text, name] of entries) names.set(text, [...(names.get(text) ?? []), ...(name === null ? [] : [name])]);
  return [...names];
}
