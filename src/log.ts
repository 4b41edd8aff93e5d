/** One line per event, on stderr; secrets are replaced in the finished line, so no path around it exists. */
import { Writable } from "node:stream";
import { type Logger, pino } from "pino";
import { PinoPretty } from "pino-pretty";
import type { Secret } from "./domain.ts";

/** Fields first, each named on purpose: spreading an options object is how keys end up in logs. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

export interface LogOptions {
  level: string;
  format: "pretty" | "json";
  secrets: readonly Secret[];
  /** Where finished lines go. Default: stderr, whose closing is survived: snapshots matter more than lines. */
  write?: (line: string) => void;
}

const shortestForm = 8;

/** Every form in which a secret could turn up in a line, the longest first. */
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

/** Returns a function that replaces every form of every secret in a text. */
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

function toStderr(line: string): void {
  process.stderr.write(line);
}

export function createLog({ level, format, secrets, write = toStderr }: LogOptions): Log {
  const redact = redactor(secrets);
  const safe = new Writable({
    decodeStrings: false,
    write(line: string | Buffer, _encoding, done) {
      write(redact(line.toString()));
      done();
    },
  });
  const options = { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` };
  if (format === "json") return pino(options, safe);
  const pretty = PinoPretty({
    colorize: process.stderr.isTTY === true,
    translateTime: "UTC:yyyy-mm-dd HH:MM:ss'Z'",
    // The fields are for programs; every message says what a person needs.
    hideObject: true,
    messageFormat: (fields, key) => visible(String(fields[key])),
    destination: safe,
    sync: true,
  });
  return pino(options, pretty);
}
