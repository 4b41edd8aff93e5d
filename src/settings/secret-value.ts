/** Reads and checks secrets, from the value of a setting or from a file. No message contains a part of a secret. */
import { readFileSync } from "node:fs";
import { codeOf, type FileText, textOf } from "./file-text.ts";

/** Matches placeholders in a settings file that has not been filled in. */
const placeholder =
  /^(<.*>|\[.*\]|x{3,}|\.{3}|\*{3,}|(your|my|the)[-_ ].*|changeme|change[-_]me|placeholder|todo|none|null|undefined|secret|passphrase|api[-_]?key)$/i;

const nameBefore =
  /^(export\s+)?["']?\w*(API_KEY|API_SECRET|API_PASSPHRASE|HTTP_TOKEN|HEARTBEAT_URL|WEBHOOK_URL)["']?\s*[=:]/i;

/** Matches control characters, direction and width marks, non-breaking blanks and the replacement character. */
const invisible = /[\p{Cc}\p{Cf}\u00a0\u2000-\u200f\u2028\u2029\u202f\ufffd]/u;

const isPem = (text: string): boolean => text.includes("-----BEGIN");

/** Reads the file of a secret. The problem is the end of a sentence that begins with the name of the setting. */
export function readSecretFile(path: string): FileText {
  try {
    const file = textOf(readFileSync(path));
    return file.problem === null ? file : { text: null, problem: `names ${path}, which ${file.problem}` };
  } catch (error) {
    return { text: null, problem: `names a file that cannot be read (${codeOf(error)})` };
  }
}

/** Returns the text without blanks around it; in a private key on one line, `\n` becomes a line end. */
export function secretOf(text: string): string {
  const value = text.trim();
  return isPem(value) ? value.replaceAll("\\n", "\n") : value;
}

/** Returns why a text cannot be the secret, as the end of a sentence; null if it can. `minLength`: characters. */
export function secretProblem(value: string, minLength: number): string | null {
  if (value === "") return "is missing";
  if (placeholder.test(value)) return "is still a placeholder";
  if (value.length < minLength) return `is shorter than ${minLength} characters`;
  if (/^["'].*["']$/s.test(value)) return "contains the quotes around it; remove them";
  if (nameBefore.test(value)) return "has its name before the value (NAME=value); keep only the value";
  if (isPem(value)) return null;
  if (/[\r\n]/.test(value)) return "has more than one line; keep only the value, without comments";
  if (invisible.test(value)) return "has an invisible character; copy the value again";
  return null;
}
