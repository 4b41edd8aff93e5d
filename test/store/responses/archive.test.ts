import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { SimulatedClock } from "../../../src/core/clock.ts";
import { Secret } from "../../../src/core/domain.ts";
import { createLog } from "../../../src/core/log.ts";
import { redactor } from "../../../src/core/text.ts";
import {
  openResponseArchive,
  type RawResponse,
  type ResponseArchive,
  unpack,
} from "../../../src/store/responses/archive.ts";
import { temporaryFolder } from "../../support/files.ts";
import { until } from "../../support/wait.ts";
import { query, start } from "../kit.ts";

const day = 86_400_000;
const canary = "canary-0123456789";
const run = { account: "main", dataset: "positions", slot: start } as const;

let folder: string;
let clock: SimulatedClock;
let logged: string[];
const file = () => join(folder, "collector.raw.db");

beforeEach(() => {
  folder = temporaryFolder();
  clock = new SimulatedClock(start);
  logged = [];
});

function open(days = 30): ResponseArchive | null {
  const write = (line: string) => void logged.push(JSON.parse(line).msg);
  const log = createLog({ level: "info", format: "json", secrets: [], write });
  const redact = redactor([new Secret(canary)]);
  return openResponseArchive({ databasePath: join(folder, "collector.db"), days, clock, log, redact });
}

/** Opens the archive, stores responses and closes it. */
function keep(slot: number, ...responses: RawResponse[]): void {
  const raw = open();
  raw?.keep({ ...run, slot }, responses);
  raw?.close();
}

const response = (body: string | Buffer, status = 200): RawResponse => ({
  scope: "umcbl",
  endpoint: "v2/positions",
  status,
  receivedAt: start + 200,
  body: Buffer.from(body),
});

const count = (table: string) => query(file(), `select count(*) as n from ${table}`)[0]?.n;

describe("raw responses", () => {
  it("are returned byte for byte, in order", () => {
    const notUtf8 = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
    keep(start, response("<html>", 503), response(notUtf8));

    const rows = query(
      file(),
      `select account, dataset, product_type, address, slot, number, status, received_at, digest,
         hex(digest) as sha256, packed
       from answer a join source s on s.id = a.source_id join body b on b.id = a.body_id order by number`,
    );
    const of = { account: "main", dataset: "positions", product_type: "umcbl", address: "v2/positions", slot: start };
    expect(rows).toMatchObject([
      { ...of, number: 1, status: 503, received_at: start + 200 },
      { ...of, number: 2, status: 200, sha256: "71FFF0C8FE984C24D6F59F8262E72E0F2E8146087DCF274FC2C4175B2AAAA1B9" },
    ]);
    expect(rows.map(({ digest, packed }) => unpack(packed as Buffer, digest as Buffer))).toEqual([
      Buffer.from("<html>"),
      notUtf8,
    ]);
  });

  it("with the same body share its bytes", () => {
    const long = `{"code":"00000","data":[${'{"coin":"BTC"},'.repeat(10_000)}]}`;
    keep(start, response(long));
    keep(start + 1000, response(long));
    expect([count("answer"), count("body")]).toEqual([2, 1]);
    expect(statSync(file()).size).toBeLessThan(50_000);
  });

  it("are written without blocking, also long ones and many of them", async () => {
    const raw = open();
    onTestFinished(() => raw?.close());
    const many = Array.from({ length: 120 }, (_, n) => response(`${n}${"x".repeat(n === 0 ? 100_000 : 10)}`));
    raw?.keep(run, many);
    await until(() => count("answer") === 120);
    expect(count("body")).toBe(120);
  });

  it("are deleted when they expire, and a body with its last response", () => {
    keep(start, response("first"), response("again"));
    keep(start + 20 * day, response("again"));
    clock.jump(start + 29 * day);
    keep(start + 29 * day);
    expect([count("answer"), count("body")]).toEqual([3, 2]);
    clock.jump(start + 31 * day);
    // Nothing expires by a clock that no newer response confirms.
    keep(start + 31 * day);
    expect([count("answer"), count("body")]).toEqual([3, 2]);
    keep(start + 31 * day, response("new"));
    expect([count("answer"), count("body")]).toEqual([2, 2]);
  });

  it("are not kept if they contain a secret, in any form", () => {
    const encoded = Buffer.from(canary).toString("base64");
    keep(start, response(`{"msg":"wrong key ${canary}"}`), response(`{"key":"${encoded}"}`), response("harmless"));
    expect(count("answer")).toBe(1);
    const bytes = readFileSync(file());
    expect([bytes.includes(canary), bytes.includes(encoded)]).toEqual([false, false]);
  });
});

describe("the file of raw responses", () => {
  it("is accessible to its owner only", () => {
    keep(start, response("{}"));
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it("is not created if nothing is to be kept", () => {
    expect(open(0)).toBeNull();
    expect(() => statSync(file())).toThrow("ENOENT");
  });

  it("is not changed if it belongs to another program", () => {
    writeFileSync(file(), "somebody's notes, and long enough to be no database ".repeat(20));
    expect(open()).toBeNull();
    expect(logged).toEqual([expect.stringContaining("collector.raw.db cannot be used for raw responses")]);
    expect(readFileSync(file(), "utf8")).toContain("somebody's notes");
  });

  it("causes one log line while it cannot be written, and is used again afterwards", async () => {
    const raw = open();
    const other = new Database(file());
    other.exec("begin immediate");
    raw?.keep(run, [response("lost")]);
    await until(() => logged.length > 0);
    raw?.keep(run, [response("lost too")]);
    await new Promise((resolve) => setTimeout(resolve, 400));
    other.close();
    raw?.keep(run, [response("kept")]);
    raw?.close();
    expect(logged).toEqual([expect.stringContaining("raw responses cannot be written to")]);
    expect(count("answer")).toBe(1);
  });
});
