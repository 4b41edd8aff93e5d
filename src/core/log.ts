/** Logs one line per event to stderr. Secrets are replaced in the finished line, so that nothing can bypass it. */
import { Writable } from "node:stream";
import { type Logger, pino } from "pino";
import { PinoPretty } from "pino-pretty";
import type { Secret } from "./domain.ts";
import { escapeControlChars, redactor } from "./text.ts";

/** A logger. Name each field explicitly: spreading an options object could bring API keys into the log. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

export interface LogOptions {
  level: string;
  format: "pretty" | "json";
  secrets: readonly Secret[];
  /** Writes a finished line. Default: to stderr, ignoring that it was closed, because collecting matters more than logging. */
  write?: (line: string) => void;
}

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
    // The fields are for programs; every message is complete without them.
    hideObject: true,
    messageFormat: (fields, key) => escapeControlChars(String(fields[key])),
    destination: safe,
    sync: true,
  });
  return pino(options, pretty);
}
