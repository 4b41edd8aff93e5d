/** Searches every byte that was produced for secrets, raw and encoded. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import Database from "better-sqlite3";
import type { SimulatedAccount } from "../../src/simulator/simulator.ts";
import type { Finished } from "../support/program.ts";

/** Returns one sentence per secret and place in which it was found. Settings that contain them on purpose (`.env`, `*.secret`) are skipped. */
export function secretsIn(
  accounts: readonly SimulatedAccount[],
  folder: string,
  printed: readonly Finished[],
): string[] {
  const files = filesIn(folder);
  const places = [
    ...files.map((file) => ({ place: file, bytes: readFileSync(join(folder, file)) })),
    // After the plain bytes, because opening a database removes its -wal and -shm files.
    ...files.flatMap((file) => decompressed(join(folder, file)).map((bytes) => ({ place: file, bytes }))),
    ...printed.map(({ stdout, stderr }) => ({ place: "the output", bytes: Buffer.from(stdout + stderr) })),
  ];
  const found = accounts.flatMap(({ key, secret, passphrase }) =>
    Object.entries({ key, secret, passphrase }).flatMap(([what, value]) =>
      places
        .filter(({ bytes }) => formsOf(value).some((form) => bytes.includes(form)))
        .map(({ place }) => `the ${what} is in ${place}`),
    ),
  );
  return [...new Set(found)];
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^\.env$|\.secret$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

/** Returns the decompressed content of a gzip file or of a raw-response archive; nothing for other or damaged files. */
function decompressed(path: string): Buffer[] {
  try {
    if (path.endsWith(".gz")) return [gunzipSync(readFileSync(path))];
    return path.endsWith(".raw.db") ? archivedResponses(path) : [];
  } catch {
    return [];
  }
}

function archivedResponses(path: string): Buffer[] {
  const database = new Database(path);
  try {
    const bodies = database.prepare("select packed from body").pluck().all() as Buffer[];
    return bodies.map((body) => brotliDecompressSync(body));
  } finally {
    database.close();
  }
}

/** Returns the forms of a secret: raw, JSON, URL-encoded, hexadecimal, and base64 at every alignment. */
export function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    // Drops the characters that depend on the neighbouring bytes.
    const text = padded
      .toString("base64")
      .replace(/=+$/, "")
      .slice(before === 0 ? 0 : before + 1, -2);
    return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
  });
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    encodeURIComponent(value).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    new URLSearchParams({ "": value }).toString().slice(1),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    ...base64,
  ];
  return [...new Set(forms)];
}
