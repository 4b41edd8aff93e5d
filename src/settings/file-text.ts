/** Reads and decodes a settings file, or a file that contains a secret. */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

export interface FileBytes {
  bytes: Buffer;
  mode: number;
}

/** Reads a file, and its mode at the same time. @throws the error of Node.js if it cannot be read */
export function readWithMode(path: string): FileBytes {
  const file = openSync(path, "r");
  try {
    return { bytes: readFileSync(file), mode: fstatSync(file).mode };
  } finally {
    closeSync(file);
  }
}

/** Returns whether other users of this machine have any access; on Windows the mode does not show that. */
export const isOpenToOthers = (mode: number): boolean => (mode & 0o077) !== 0 && process.platform !== "win32";

/** Returns the code of a failed access, such as `ENOENT`. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unreadable";

/** The text of a file, or why its bytes are not text: the end of a sentence that begins with the path. */
export type FileText = { text: string; problem: null } | { text: null; problem: string };

/** Decodes bytes as UTF-8, with or without a byte order mark. */
export function textOf(bytes: Buffer): FileText {
  const zeros = bytes.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  // UTF-16 without a byte order mark is recognised by its zeros: every other byte of ASCII text is zero.
  if (/^(fffe|feff)/.test(bytes.subarray(0, 2).toString("hex")) || zeros > bytes.length / 4)
    return { text: null, problem: "is in UTF-16, as PowerShell's > writes it; save it as UTF-8" };
  if (zeros > 0) {
    const line = bytes.subarray(0, bytes.indexOf(0)).toString("latin1").split("\n").length;
    return { text: null, problem: `has a NUL character in line ${line}; remove it` };
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), problem: null };
  } catch {
    return { text: null, problem: "has bytes that are not UTF-8; save it as UTF-8" };
  }
}
