/** The search for secrets finds them in every form and every place. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import type { SimulatedAccount } from "../../src/simulator/simulator.ts";
import { temporaryFolder } from "../support/files.ts";
import { secretsIn } from "./canary.ts";

/** Contains every character that some encoding changes. */
const passphrase = 'He said: "ü+ß"/\\ 100 %';
const account: SimulatedAccount = {
  name: "main",
  key: "bg_5b0f4a1c9d2e7f60",
  secret: "f00dfacecafe4711>>>???",
  passphrase,
  mode: "classic",
};
const ended = (stdout: string, stderr = "") => ({ code: 0, signal: null, stdout, stderr });
const found = (bytes: string | Buffer): string[] => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "file"), bytes);
  return secretsIn([account], folder, []);
};

it("finds nothing in files without secrets", () => {
  expect(
    found(`bg_5b0f4a1c9d2e7f6 ${passphrase.slice(0, -1)} ${Buffer.from(passphrase).toString("hex").slice(2)}`),
  ).toEqual([]);
});

it.each([
  ["raw", passphrase],
  ["JSON", JSON.stringify({ passphrase })],
  ["an address", encodeURIComponent(passphrase)],
  ["an address, in small letters", encodeURIComponent(passphrase).replace(/%../g, (code) => code.toLowerCase())],
  ["a form", new URLSearchParams({ passphrase }).toString()],
  ["hexadecimal digits", Buffer.from(passphrase).toString("hex")],
  ["hexadecimal digits in capitals", Buffer.from(passphrase).toString("hex").toUpperCase()],
  ["bytes among others", Buffer.concat([Buffer.from([0, 255, 128]), Buffer.from(passphrase), Buffer.from([0])])],
])("finds a secret as %s", (_form, bytes) => {
  expect(found(bytes)).toEqual(["the passphrase is in file"]);
});

it("finds every secret in base64, at every alignment", () => {
  for (const before of [0, 1, 2, 3, 4, 5]) {
    for (const after of [0, 1, 2, 3]) {
      for (const [what, value] of Object.entries({ key: account.key, secret: account.secret, passphrase })) {
        const bytes = Buffer.concat([Buffer.alloc(before, 0xa7), Buffer.from(value), Buffer.alloc(after, 0x5e)]);
        for (const encoding of ["base64", "base64url"] as const)
          expect([before, after, encoding, found(bytes.toString(encoding))]).toEqual([
            before,
            after,
            encoding,
            [`the ${what} is in file`],
          ]);
      }
    }
  }
});

it("searches folders and output, but not settings files", () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "deep", "er"), { recursive: true });
  writeFileSync(join(folder, "deep", "er", ".log"), `x${account.key}x`);
  writeFileSync(join(folder, ".env"), account.key);
  writeFileSync(join(folder, "key.secret"), account.key);
  expect(secretsIn([account], folder, [ended(account.secret), ended("", `x${passphrase}`), ended("fine")])).toEqual([
    `the key is in ${join("deep", "er", ".log")}`,
    "the secret is in the output",
    "the passphrase is in the output",
  ]);
});

it("searches compressed files", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "out.csv.gz"), gzipSync(`coin,available\r\n${account.key},1\r\n`));
  const database = new Database(join(folder, "collector.raw.db"));
  database.exec("create table body (packed blob)");
  database.prepare("insert into body values (?)").run(brotliCompressSync(`{"msg":"${account.secret}"}`));
  database.close();
  expect(secretsIn([account], folder, []).sort()).toEqual([
    "the key is in out.csv.gz",
    "the secret is in collector.raw.db",
  ]);
});
