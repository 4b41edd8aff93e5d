import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collect, good, item, minute, start, storeAt } from "../../store/kit.ts";
import { spotAssets } from "../../store/minutes.ts";
import { temporaryFolder } from "../../support/files.ts";
import { runInProcess as run } from "../../support/in-process.ts";
import { start as begin } from "../../support/program.ts";

/** Returns a folder with a database `a.db` that holds one snapshot of a thousand coins per minute. */
async function seeded(minutes: number): Promise<string> {
  const folder = temporaryFolder();
  const store = await storeAt(join(folder, "a.db"));
  const items = Array.from({ length: 1000 }, (_, n) => item(spotAssets, { coin: `COIN${n}`, available: `${n}.10` }));
  for (let at = 0; at < minutes; at += 1)
    await collect(store, spotAssets, start + at * minute, { snapshots: [good(items, start + at * minute)] });
  store.close();
  return folder;
}

const databaseAt = (name: string) => ({ DATABASE_URL: `file:./${name}` });

describe("export and db import", () => {
  it("restore the same history", async () => {
    const folder = await seeded(2);
    const written = await run(["export", "spot-assets", "--out", "one.csv.gz"], folder, databaseAt("a.db"));
    expect([written.code, written.stdout]).toEqual([
      0,
      expect.stringMatching(/^2000 rows of spot-assets were written to/),
    ]);
    const read = await run(["db", "import", "one.csv.gz"], folder, databaseAt("b.db"));
    expect([read.code, read.stdout]).toEqual([
      0,
      expect.stringMatching(/^2000 rows of 2 snapshots of spot-assets were imported from/),
    ]);
    expect((await run(["export", "spot-assets", "--out", "two.csv.gz"], folder, databaseAt("b.db"))).code).toBe(0);
    expect(readFileSync(join(folder, "two.csv.gz")).equals(readFileSync(join(folder, "one.csv.gz")))).toBe(true);
    const again = await run(["db", "import", "one.csv.gz"], folder, databaseAt("b.db"));
    expect([again.code, again.stderr]).toEqual([78, expect.stringContaining("already holds runs of spot-assets")]);
  });

  it("stop the export on SIGTERM, which leaves no file", async () => {
    const folder = await seeded(300);
    const program = begin(["export", "spot-assets", "--out", "one.ndjson"], folder, databaseAt("a.db"));
    while (!existsSync(join(folder, ".one.ndjson.part"))) await new Promise((resolve) => setTimeout(resolve, 5));
    program.child.kill("SIGTERM");
    expect((await program.finished).code).toBe(143);
    expect(readdirSync(folder).filter((name) => name.includes("ndjson"))).toEqual([]);
  });

  it("write a file for a day, the same as one for all", async () => {
    const folder = await seeded(2);
    const written = await run(["export", "spot-assets", "--out", "day.csv", "--by", "day"], folder, databaseAt("a.db"));
    expect([written.code, written.stdout]).toEqual([
      0,
      expect.stringMatching(/^2000 rows of spot-assets were written to .*day-2026-11-01\.csv \(\d+ bytes\)\n$/),
    ]);
    expect((await run(["export", "spot-assets", "--out", "one.csv"], folder, databaseAt("a.db"))).code).toBe(0);
    expect(readFileSync(join(folder, "day-2026-11-01.csv")).equals(readFileSync(join(folder, "one.csv")))).toBe(true);
  });

  it("report the content of every imported file", async () => {
    const folder = await seeded(1);
    for (const file of ["prices.ndjson", "positions.csv"])
      await run(["export", file.replace(/\..*/, ""), "--out", file], folder, databaseAt("a.db"));
    const read = await run(["db", "import", "prices.ndjson", "positions.csv"], folder, databaseAt("b.db"));
    expect([read.code, read.stdout.split("\n")]).toEqual([
      0,
      [
        `0 rows of 0 snapshots of positions were imported from ${join(folder, "positions.csv")}`,
        `${join(folder, "prices.ndjson")} has no rows`,
        "",
      ],
    ]);
  });

  it("create no database from unusable files", async () => {
    const folder = await seeded(1);
    const read = await run(["db", "import", "a.db"], folder, databaseAt("b.db"));
    expect([read.code, existsSync(join(folder, "b.db"))]).toEqual([64, false]);
    expect((await run(["export", "spot-assets", "--out", "one.csv"], folder, databaseAt("a.db"))).code).toBe(0);
    const { code, stderr } = await run(["db", "import", "one.csv", "one.csv"], folder, databaseAt("b.db"));
    expect([code, stderr]).toEqual([78, expect.stringContaining("already holds runs of spot-assets")]);
    expect(stderr).not.toContain("created a new database");
    expect(existsSync(join(folder, "b.db"))).toBe(false);
  });

  it("import nothing if the number of rows differs from --rows", async () => {
    const folder = await seeded(2);
    const written = await run(["export", "spot-assets", "--out", "one.csv"], folder, databaseAt("a.db"));
    const rows = Number.parseInt(written.stdout, 10);
    const rejected = await run(["db", "import", "one.csv", "--rows", String(rows + 1)], folder, databaseAt("b.db"));
    expect([rejected.code, rejected.stderr]).toEqual([1, expect.stringContaining(`${rows} rows, but --rows is`)]);
    expect(existsSync(join(folder, "b.db"))).toBe(false);
    const accepted = await run(["db", "import", "one.csv", "--rows", String(rows)], folder, databaseAt("b.db"));
    expect([accepted.code, accepted.stderr]).toEqual([0, expect.stringContaining("created a new database")]);
    expect((await run(["db", "import", "one.csv", "--rows", "all"], folder, databaseAt("b.db"))).code).toBe(64);
  });

  it.each([
    [["export", "coins", "--out", "a.csv"], /unknown dataset "coins"; datasets: spot-assets, /],
    [["export", "prices"], /--out is required: the file to write/],
    [["export", "prices", "--out", "a.csv", "--by", "month"], /--by: use day/],
    [["export", "prices", "--out", "a.txt"], /a\.txt: use a file name that ends in \.csv/],
    [["export", "prices", "--out", "."], /use a file name that ends in/],
    [["export", "prices", "--out", "a.csv", "--from", "soon"], /--from "soon" is not a valid time/],
  ])("reject %j with a message", async (args, sentence) => {
    const { code, stderr } = await run(args, temporaryFolder());
    expect([code, stderr]).toEqual([64, expect.stringMatching(sentence)]);
  });
});
