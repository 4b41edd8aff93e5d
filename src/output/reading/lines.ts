/** A file of text, line by line. */
import { isUtf8 } from "node:buffer";
import { createReadStream, existsSync, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { ShapeError, UsageError } from "../../core/errors.ts";

/** Told of the bytes read and in all, as they lie on the disk. */
export type OnProgress = (done: number, total: number) => void;

/** Size in bytes. @throws UsageError where there is no file */
export function sizeOf(path: string): number {
  const found = existsSync(path) ? statSync(path) : null;
  if (!found?.isFile()) throw new UsageError(`${path} is no file. Name one that export wrote.`);
  return found.size;
}

const lineEnd = 10;

/** Bytes of a line: many times as much as the longest answer of the exchange has. */
export const maxLineBytes = 16 * 2 ** 20;

export const tooLong = (path: string, line: number): ShapeError =>
  new ShapeError(
    path,
    `line ${line}`,
    `is longer than ${maxLineBytes / 2 ** 20} MiB: a line end or a quote is missing, or export did not write this file`,
  );

/** What some programs write in front of UTF-8. */
const byteOrderMark = Buffer.from("\ufeff");

/**
 * Some whole lines at a time, the last perhaps without its end; without a byte order mark in front of them.
 * @throws ShapeError naming the first line that is not UTF-8 or too long
 */
export async function* linesOf(path: string, zipped: boolean, onProgress: OnProgress): AsyncGenerator<Buffer, void> {
  let rest: Buffer[] = [];
  let line = 1;
  let length = 0;
  for await (const chunk of withoutMark(path, bytesOf(path, zipped, onProgress))) {
    const end = chunk.lastIndexOf(lineEnd) + 1;
    // The first line end of a chunk is not looked for: chunks are short.
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
  // What is wrong with the file is heard of where it is read, below.
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

/** The number of the line after these. */
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
