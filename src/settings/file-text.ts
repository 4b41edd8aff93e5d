/** Decodes the bytes of a settings file, or of a file that contains a secret. */

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
