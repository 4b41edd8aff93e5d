/** Text from outside made safe to show: secrets taken out, control characters made visible. */
import type { Secret } from "./domain.ts";

const shortestForm = 8;

/** Every form in which a secret could turn up in a text. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString("base64"),
    bytes.toString("base64url"),
    bytes.toString("hex"),
  ].filter((form) => form.length >= shortestForm);
}

/** Returns a function that replaces every form of every secret in a text, the longest first. */
export function redactor(secrets: readonly Secret[]): (text: string) => string {
  const forms = [...new Set(secrets.flatMap((secret) => formsOf(secret.reveal())))].sort((a, b) => b.length - a.length);
  return (text) => forms.reduce((safe, form) => safe.replaceAll(form, "[secret]"), text);
}

/** Control characters become visible escapes, so that no text from outside can forge a line or drive a terminal. */
export const visible = (text: string): string =>
  text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
