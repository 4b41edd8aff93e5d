/** Writes ZIP files in pieces, without holding them in memory. */
import { Zip, ZipDeflate } from "fflate";
import { nextPiece, type Paced } from "../core/async/cooperate.ts";

/** A file in a ZIP file, as texts with pauses between them. */
export interface ZipEntry {
  name: string;
  lines: Paced<string>;
}

/** How much text is compressed at a time. Characters. */
const pieceSize = 65_536;

/** Yields the bytes of a ZIP file. `at` is the time that its files get, epoch ms. */
export function* zipOf(entries: Iterable<ZipEntry>, at: number): Paced<Uint8Array> {
  const ready: Uint8Array[] = [];
  const zip = new Zip((error, bytes) => {
    if (error) throw error;
    ready.push(bytes);
  });
  const encoder = new TextEncoder();
  for (const { name, lines } of entries) {
    const file = new ZipDeflate(name);
    file.mtime = at;
    zip.add(file);
    try {
      for (let isLast = false; !isLast; ) {
        const piece = yield* nextPiece(lines, pieceSize);
        isLast = piece.length < pieceSize;
        file.push(encoder.encode(piece), isLast);
        yield* ready.splice(0);
      }
    } finally {
      lines.return();
    }
  }
  zip.end();
  yield* ready.splice(0);
}
