/** Reads a text file in blocks of complete lines. */
import { isUtf8 } from "node:buffer";
import { createReadStream, existsSync, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { ShapeError, UsageError } from "../../core/errors.ts";

/** Called with the number of bytes of the file read so far, and the total. */
export type OnProgress = (done: number, total: number) => void;

/** Returns the size of a file in bytes. @throws UsageError if it is not a regular file */
export function sizeOf(path: string): number {
  const found = existsSync(path) ? statSync(path) : null;
  if (!found?.isFile()) throw new UsageError(`${path} is not a file. Choose a file written by \`export\`.`);
  return found.size;
}

const lineEnd = 10;

/** The maximum length of a line, many times that of the longest response of the exchange. */
export const maxLineBytes = 16 * 2 ** 20;

/** Returns the error for a line longer than `maxLineBytes`. */
export const tooLong = (path: string, line: number): ShapeError =>
  new ShapeError(
    path,
    `line ${line}`,
    `is longer than ${maxLineBytes / 2 ** 20} MiB: a line end or a quote is missing, or the file was not written by \`export\``,
  );

/** Written by some programs before UTF-8 text. */
const byteOrderMark = Buffer.from("\ufeff");

/**
 * Yields blocks of complete lines, without a byte order mark; the last line may lack its line end.
 * @throws ShapeError naming the first line that is not UTF-8 or is too long
 */
export async function* linesOf(path: string, zipped: boolean, onProgress: OnProgress): AsyncGenerator<Buffer, void> {
  let rest: Buffer[] = [];
  let line = 1;
  let length = 0;
  for await (const chunk of withoutMark(path, bytesOf(path, zipped, onProgress))) {
    const end = chunk.lastIndexOf(lineEnd) + 1;
    // A chunk with a line end is not checked further: chunks are short.
    if (length + (end > 0 ? 0 : chunk.length) > maxLineBytes) throw tooLong(path, line);
    if (end > 0) {
      const lines = Buffer.concat([...rest, chunk.subarray(0, end)]);
      line = checked(path, lines, line);
      yield lines;
      rest = [];
      length = 0;
    }
    rest.push(chunk.subarray(end));
    length += chunk.length - end;
  }
  const last = Buffer.concat(rest);
  checked(path, last, line);
  if (last.length > 0) yield last;
}

async function* withoutMark(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let isFirst = true;
  for await (const chunk of chunks) {
    const [one, other] = isFirst ? chunk : [];
    if ((one === 0xff && other === 0xfe) || (one === 0xfe && other === 0xff))
      throw new ShapeError(path, "line 1", "is UTF-16; save the file as UTF-8");
    const isMarked = isFirst && chunk.subarray(0, byteOrderMark.length).equals(byteOrderMark);
    yield isMarked ? chunk.subarray(byteOrderMark.length) : chunk;
    isFirst = false;
  }
}

async function* bytesOf(path: string, zipped: boolean, onProgress: OnProgress): AsyncGenerator<Buffer, void> {
  const total = sizeOf(path);
  const file = createReadStream(path);
  const gunzip = createGunzip();
  // Errors are thrown by reading `gunzip` below.
  if (zipped) pipeline(file, gunzip).catch(() => {});
  try {
    for await (const chunk of zipped ? gunzip : file) {
      yield chunk;
      onProgress(file.bytesRead, total);
    }
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (code.startsWith("Z_")) throw new ShapeError(path, "gzip", message);
    throw code.startsWith("E") ? new UsageError(`${path} cannot be read (${code}).`) : error;
  }
}

/** Checks that lines are UTF-8, and returns the number of the line after them. @throws ShapeError naming the line that is not */
function checked(path: string, lines: Buffer, first: number): number {
  const all = isUtf8(lines);
  let number = first;
  for (let begin = 0, end = 0; begin < lines.length; begin = end + 1) {
    end = lines.indexOf(lineEnd, begin);
    if (end < 0) end = lines.length;
    if (!all && !isUtf8(lines.subarray(begin, end))) throw new ShapeError(path, `line ${number}`, "is not UTF-8");
    number += 1;
  }
  return number;
}
