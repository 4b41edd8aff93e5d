/** What people take for a secret: the value of a setting, or a file that holds it. None of the sentences has a part of it. */
import { readFileSync } from "node:fs";
import { type FileText, textOf } from "./file-text.ts";

/** What people leave in a settings file when they have not filled it in yet. */
const placeholder =
  /^(<.*>|\[.*\]|x{3,}|\.{3}|\*{3,}|(your|my|the)[-_ ].*|changeme|change[-_]me|placeholder|todo|none|null|undefined|secret|passphrase|api[-_]?key)$/i;

const nameBefore =
  /^(export\s+)?["']?\w*(API_KEY|API_SECRET|API_PASSPHRASE|HTTP_TOKEN|HEARTBEAT_URL|WEBHOOK_URL)["']?\s*[=:]/i;

/** Control characters, marks of direction and width, blanks that do not break, and what stands for a byte that was no text. */
const invisible = /[\p{Cc}\p{Cf}\u00a0\u2000-\u200f\u2028\u2029\u202f\ufffd]/u;

const isPem = (text: string): boolean => text.includes("-----BEGIN");

/** Reads the file of a secret. The problem goes behind the name of the setting that names the file. */
export function readSecretFile(path: string): FileText {
  try {
    const file = textOf(readFileSync(path));
    return file.problem === null ? file : { text: null, problem: `names ${path}, which ${file.problem}` };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return { text: null, problem: `names a file that cannot be read (${code})` };
  }
}

/** Returns the secret itself: without blanks around it; a private key in one line gets its line ends back. */
export function secretOf(text: string): string {
  const value = text.trim();
  return isPem(value) ? value.replaceAll("\\n", "\n") : value;
}

/** Returns what shows that a text is not the secret, as the end of a sentence; null where nothing does. `shortest` is a number of characters. */
export function secretProblem(value: string, shortest: number): string | null {
  if (value === "") return "is missing";
  if (placeholder.test(value)) return "still holds a placeholder";
  if (value.length < shortest) return `is shorter than ${shortest} characters`;
  if (/^["'].*["']$/s.test(value)) return "has quotes around it that are part of the value; remove them";
  if (nameBefore.test(value)) return "has its name before the value (NAME=value); leave the value alone there";
  if (isPem(value)) return null;
  if (/[\r\n]/.test(value)) return "has more than one line; leave the value alone there, without comments";
  if (invisible.test(value)) return "has a character that cannot be seen; copy the value again";
  return null;
}
