/** Importing files that differ from what export wrote: read where unambiguous, else refused with place and reason. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import type { DatasetName } from "../../../src/core/domain.ts";
import { ConfigError, ShapeError, UsageError } from "../../../src/core/errors.ts";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { readFiles } from "../../../src/output/reading/rows.ts";
import { importHistory } from "../../../src/store/transfer/import.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { collect, good, item, minute, query, start, storeAt } from "../../store/kit.ts";
import { positions, spotAssets } from "../../store/minutes.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { temporaryFolder } from "../../support/files.ts";
import { bytesOf, endings, exported, imported, importInto } from "./support.ts";

const equity = snapshotDatasetNamed("equity");

/** Minutes of two coins, one with an unknown field, and of one position. */
async function seeded(): Promise<string> {
  const path = temporaryPath();
  const store = await storeAt(path);
  for (const at of [start, start + minute, start + 2 * minute]) {
    const coins = ["BTC", "ETH"].map((coin) => item(spotAssets, { coin, available: "1.50", updatedAt: at }));
    coins.push(item(spotAssets, { coin: "X;Y", coinId: "=1" }, { "a,b": '"' }));
    await collect(store, spotAssets, at, { snapshots: [good(coins, at + 5)] });
    const held = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: "2" };
    await collect(store, positions, at, { snapshots: [good([item(positions, held)], at + 7, "umcbl")] });
  }
  store.close();
  return path;
}

/** Writes a file with this content to an empty folder. */
function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

const csvOf = async (name: DatasetName = "spot-assets") =>
  readFileSync(await exported(await seeded(), name, "csv"), "utf8");

/** Rewrites CSV with every cell in quotes and another separator. */
const quotedThroughout = (csv: string, separator = ",") =>
  csv
    .split("\r\n")
    .map((line) =>
      (line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? [])
        .slice(0, 20)
        .map((cell) => cell.replace(/,$/, ""))
        .map((cell) => (cell.startsWith('"') ? cell : `"${cell}"`))
        .join(separator),
    )
    .map((line) => (line === '""' ? "" : line))
    .join("\r\n");

const mark = "\ufeff";

describe("a file saved by another program is read where it is unambiguous:", () => {
  const withSeparator = (separator: string) => (csv: string) => quotedThroughout(csv, separator);
  const unquotedWith = (separator: string) => (csv: string) =>
    csv
      .split("\r\n")
      .map((line) => line.replace(/("([^"]|"")*")|,/g, (found) => (found === "," ? separator : found)))
      .map((line) => (separator === ";" ? line.replace("X;Y", '"X;Y"') : line))
      .join("\r\n");
  it.each<[string, (csv: string) => string]>([
    ["a byte order mark", (csv) => mark + csv],
    ["LF at the ends of lines", (csv) => csv.replaceAll("\r\n", "\n")],
    ["semicolons", unquotedWith(";")],
    ["tabs", unquotedWith("\t")],
    ["a line that names the comma", (csv) => `sep=,\r\n${csv}`],
    ["a mark, a line that names the semicolon, and semicolons", (csv) => `${mark}sep=;\r\n${unquotedWith(";")(csv)}`],
    ["every cell in quotes", quotedThroughout],
    ["every cell in quotes, and semicolons", withSeparator(";")],
    ["an empty line at the end", (csv) => `${csv}\r\n`],
    ["no end of the last line", (csv) => csv.slice(0, -2)],
  ])("%s", async (_, saved) => {
    const csv = await csvOf();
    expect(saved(csv)).not.toBe(csv);
    expect(String(await bytesOf(await imported([fileOf("a.csv", saved(csv))]), "spot-assets", "csv"))).toBe(csv);
  });

  it("NDJSON with a byte order mark and an empty line at the end", async () => {
    const text = readFileSync(await exported(await seeded(), "spot-assets", "ndjson"), "utf8");
    const copy = await imported([fileOf("a.ndjson", `${mark}${text}\n`)]);
    expect(String(await bytesOf(copy, "spot-assets", "ndjson"))).toBe(text);
  });
});

describe("a file saved by another program is refused with the reason where it is ambiguous:", () => {
  const german = (csv: string) => mark + csv.replaceAll(",", ";").replaceAll("1.50", "1,50");
  it.each<[string, (csv: string) => string | Uint8Array, string]>([
    ["decimal commas", german, 'a.csv: line 2, available: "1,50" is not a decimal number; use a decimal point'],
    ["decimal commas between commas", (csv) => csv.replace("1.50", "1,50"), "line 2: has 21 cells instead of 20"],
    ["UTF-16", (csv) => Buffer.from(mark + csv, "utf16le"), "line 1: is UTF-16; save the file as UTF-8"],
    ["CR alone", (csv) => csv.replaceAll("\r\n", "\r"), "line 1: ends with CR only"],
    ["an empty line between rows", (csv) => csv.replace("\r\n", "\r\n\r\n"), "line 2: is empty, but rows follow"],
    ["exponents", (csv) => csv.replace("1.50", "1.5E+03"), '"1.5E+03" is not a decimal number'],
    [
      "a line that names the comma, and a wrong cell",
      (csv) => `sep=,\n${csv.replace("1.50", "x")}`,
      "line 3, available",
    ],
  ])("%s", async (_, saved, problem) => {
    await expect(imported([fileOf("a.csv", saved(await csvOf()))])).rejects.toThrow(problem);
  });
});

describe("exported values are imported unchanged:", () => {
  it.each(endings)("a computed equity of more than 64 places, as %s", async (ending) => {
    const path = temporaryPath();
    const store = await open(path);
    const usdtEquity = `123456789.${"0123456789".repeat(12)}`;
    const row = item(equity, { usdtEquity, complete: 0 });
    await collect(store, equity, start, { snapshots: [good([row], start)] });
    const copy = await imported([await exported(path, "equity", ending)]);
    expect(query(copy, "select usdt_equity from equity_history")).toEqual([{ usdt_equity: usdtEquity }]);
    expect((await bytesOf(copy, "equity", ending)).equals(await bytesOf(path, "equity", ending))).toBe(true);
  });

  it.each([253_402_300_799_999, 253_402_300_800_000, 999_999_999_999_999])(
    "the instant %i, which view and file write in the same way",
    async (updatedAt) => {
      const path = temporaryPath();
      const store = await open(path);
      await collect(store, spotAssets, start, {
        snapshots: [good([item(spotAssets, { coin: "A", updatedAt })], start)],
      });
      const text = new Date(updatedAt).toISOString();
      expect(query(path, "select updated_at from spot_assets_history")).toEqual([{ updated_at: text }]);
      expect(String(await bytesOf(path, "spot-assets", "ndjson"))).toContain(`"updated_at":"${text}"`);
      for (const ending of endings) {
        const copy = await imported([await exported(path, "spot-assets", ending)]);
        const [one, other] = [await bytesOf(copy, "spot-assets", ending), await bytesOf(path, "spot-assets", ending)];
        expect(one.equals(other), ending).toBe(true);
      }
    },
  );

  it("any decimal that can be computed", async () => {
    const figures = (most: number) =>
      fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: most, size: "max" }).map((all) => all.join(""));
    const decimal = fc
      .tuple(fc.constantFrom("", "-"), figures(128), fc.option(figures(130)))
      .map(([sign, whole, places]) => `${sign}${whole}${places === null ? "" : `.${places}`}`);
    const row = fc.record({
      usdtEquity: fc.option(decimal),
      spotUsdt: fc.option(decimal),
      complete: fc.constantFrom(0, 1, null),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(...endings),
        async (rows, ending) => {
          const path = temporaryPath();
          const store = await open(path);
          for (const [n, cells] of rows.entries())
            await collect(store, equity, start + n * minute, { snapshots: [good([item(equity, cells)], start + n)] });
          store.close();
          const copy = await imported([await exported(path, "equity", ending)]);
          expect((await bytesOf(copy, "equity", ending)).equals(await bytesOf(path, "equity", ending))).toBe(true);
        },
      ),
      { numRuns: 6, endOnFailure: true },
    );
  });
});

describe("every number of a file is bounded:", () => {
  const withId = async (id: string) => (await csvOf()).replaceAll(",5,", `,${id},`);

  it.each(["9007199254740991", "4503599627370497", "0"])("the id %s is refused", async (id) => {
    await expect(imported([fileOf("a.csv", await withId(id))])).rejects.toThrow(
      `snapshot_id: ${id} is not from 1 to 4503599627370496`,
    );
  });

  it("a snapshot after the year 9999 is refused", async () => {
    const csv = (await csvOf()).replaceAll(",1793491200005", ",253402300800000");
    await expect(imported([fileOf("a.csv", csv)])).rejects.toThrow(/line 2, taken_at_ms: \d+ is after the year 9999/);
  });

  it("collecting continues after the highest id", async () => {
    const copy = await imported([fileOf("a.csv", await withId("4503599627370496"))]);
    const store = await open(copy);
    await collect(store, spotAssets, start + 9 * minute, { snapshots: [good([], start + 9 * minute)] });
    store.close();
    expect(query(copy, "select max(snapshot_id) as id from snapshots")).toEqual([{ id: 4_503_599_627_370_497 }]);
    expect((await verify(copy, datasets)).problems).toEqual([]);
  });

  it.each<[string, string, (text: string) => string | Uint8Array]>([
    ["csv", "line 2", (text) => `${text.slice(0, text.indexOf("\n") + 1)}${"a".repeat(17 * 2 ** 20)}`],
    ["csv", "line 2", (text) => `${text.slice(0, text.indexOf("\n") + 1)}"${"a\n".repeat(9 * 2 ** 20)}`],
    ["csv", "line 1", () => "a".repeat(17 * 2 ** 20)],
    ["ndjson", "line 1", () => `{"${"a".repeat(17 * 2 ** 20)}`],
    ["csv.gz", "line 1", () => gzipSync(Buffer.alloc(200 * 2 ** 20))],
    ["ndjson.gz", "line 1", () => gzipSync(Buffer.alloc(200 * 2 ** 20, "1"))],
  ])("a line without an end, as %s, is refused with its number: %s", async (ending, place, contentOf) => {
    const refused = imported([fileOf(`a.${ending}`, contentOf(await csvOf()))]);
    await expect(refused).rejects.toThrow(`a.${ending}: ${place}: is longer than 16 MiB`);
  });

  it.each<["DOUBLE" | "INT64" | "BOOLEAN" | "TIMESTAMP", unknown]>([
    ["DOUBLE", 1.5],
    ["INT64", 1n],
    ["BOOLEAN", true],
    ["TIMESTAMP", new Date(start)],
  ])("an amount or an id that is %s in Parquet is refused", async (type, cell) => {
    const [header = "", row = ""] = (await csvOf("positions")).split("\r\n");
    for (const column of ["total", "snapshot_id", "taken_at_ms"].slice(0, type === "INT64" ? 1 : 3)) {
      const columnData = header.split(",").map((name, at) => {
        const text = row.split(",")[at] || null;
        return name === column ? { name, data: [cell], type } : { name, data: [text], type: "STRING" as const };
      });
      const file = fileOf("a.parquet", new Uint8Array(parquetWriteBuffer({ columnData: columnData as never })));
      await expect(imported([file])).rejects.toThrow(`a.parquet: row 1, ${column}: `);
    }
  });

  it("a group of rows of Parquet", async () => {
    const data = new Int32Array(1_000_001);
    const bytes = parquetWriteBuffer({
      columnData: [{ name: "a", data, type: "INT32" }],
      rowGroupSize: data.length,
    });
    const [file] = [fileOf("a.parquet", new Uint8Array(bytes))];
    const read = async () => {
      for await (const { rows } of readFiles([file], () => {})) for await (const _ of rows);
    };
    await expect(read()).rejects.toThrow("a.parquet: rows 1 to 1000001: are one row group of more than 1000000 rows");
  });
});

describe("the expected number of rows (--rows)", () => {
  const files = async () => [await exported(await seeded(), "spot-assets", "csv")];
  const importing = async (expected: number, paths: string[]) => {
    const path = temporaryPath();
    (await storeAt(path)).close();
    await importHistory(
      path,
      datasets,
      readFiles(paths, () => {}),
      expected,
    );
    return path;
  };

  it("is that of the file", async () => {
    expect(query(await importing(9, await files()), "select count(*) as n from snapshots")).toEqual([{ n: 3 }]);
  });

  it("detects a file that was cut between two snapshots, which nothing else does", async () => {
    const [file = ""] = await files();
    const lines = readFileSync(file, "utf8").split("\r\n");
    const cut = fileOf("cut.csv", `${lines.slice(0, 7).join("\r\n")}\r\n`);
    await expect(importing(9, [cut])).rejects.toThrow("cut.csv: rows: found 6 rows, but --rows is 9");
    await imported([cut]);
  });
});

/** Damages the bytes of a file, determined by three numbers. */
const damages: Record<string, (bytes: Buffer, at: number, length: number, value: number) => Buffer> = {
  flip: (bytes, at, _, value) => {
    const other = Buffer.from(bytes);
    other[at] = (other[at] ?? 0) ^ (value || 1);
    return other;
  },
  cut: (bytes, at) => bytes.subarray(0, at),
  drop: (bytes, at, length) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]),
  again: (bytes, at, length) => Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]),
  noise: (bytes, at, length, value) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length, value), bytes.subarray(at)]),
  digits: (bytes, at, length) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length, "9"), bytes.subarray(at + 1)]),
  quote: (bytes, at) => Buffer.concat([bytes.subarray(0, at), Buffer.from('"'), bytes.subarray(at)]),
  lines: (bytes, at, length) => {
    const lines = bytes.toString("latin1").split("\n");
    const [moved = ""] = lines.splice(at % lines.length, 1);
    lines.splice(length % (lines.length + 1), 0, moved);
    return Buffer.from(lines.join("\n"), "latin1");
  },
};

/** Cells that break careless parsers. */
const cells = [
  ...[
    "",
    "0",
    "-1",
    "2",
    "NaN",
    "Infinity",
    "1e400",
    "0x10",
    "1.",
    ".5",
    "--1",
    "99999999999999999999",
    "9".repeat(2000),
  ],
  ...["9007199254740991", "8640000000000001", "2026-13-01T00:00:00.000Z", "+275760-09-13T00:00:00.001Z"],
  ...["-000001-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "umcbl", "USDT-FUTURES", "public", "'", "\0", "null"],
  ...["[".repeat(50_000), '"{""__proto__"":1}"', '"{""a"":1e999999}"', "true"],
];

describe("a randomly damaged file", () => {
  it("with hostile cells is refused with a readable message, or gives a history that verifies", async () => {
    const lines = (await csvOf("positions")).split("\r\n").map((line) => line.split(","));
    const columns = lines[0] ?? [];
    let empty = temporaryPath();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.nat({ max: columns.length - 1 }),
        fc.constantFrom(...cells),
        async (line, at, cell) => {
          const text = lines
            .map((all, n) => (n === line ? all.with(at, cell) : all))
            .map((all) => all.join(","))
            .join("\r\n");
          const problem = await importInto(empty, [fileOf("a.csv", text)]).catch((error: unknown) => error);
          if (Array.isArray(problem)) {
            expect((await verify(empty, datasets)).problems).toEqual([]);
            const again = String(await bytesOf(empty, "positions", "csv"));
            expect(again.length - text.length).toBeLessThanOrEqual(1);
            empty = temporaryPath();
          } else {
            expect(problem).toBeInstanceOf(ShapeError);
            expect((problem as Error).message).toMatch(new RegExp(`a.csv: line [${line}-4]`));
          }
        },
      ),
      { numRuns: 40, endOnFailure: true },
    );
  });

  it("is refused with a readable message and not imported, or gives a history that verifies", async () => {
    const damage = fc.record({
      file: fc.nat(),
      how: fc.constantFrom(...Object.keys(damages)),
      isInside: fc.boolean(),
      at: fc.nat(),
      length: fc.integer({ min: 1, max: 60 }),
      value: fc.integer({ min: 0, max: 255 }),
    });
    const path = await seeded();
    const wanted = (["spot-assets", "positions"] as const).flatMap((name) =>
      endings.map((ending) => ({ name, ending })),
    );
    const originals = await Promise.all(
      wanted.map(async (one) => ({ ...one, bytes: await bytesOf(path, one.name, one.ending) })),
    );
    let empty = temporaryPath();
    await fc.assert(
      fc.asyncProperty(damage, async ({ file, how, isInside, at, length, value }) => {
        const { ending, bytes } = originals[file % originals.length] ?? { ending: "", bytes: Buffer.alloc(0) };
        const work = (all: Buffer) => damages[how]?.(all, at % all.length, length, value) ?? all;
        const isZipped = ending.endsWith(".gz");
        const damaged = isZipped && isInside ? gzipSync(work(gunzipSync(bytes))) : work(bytes);
        const problem = await importInto(empty, [fileOf(`a.${ending}`, damaged)]).catch((error: unknown) => error);
        if (Array.isArray(problem)) {
          expect((await verify(empty, datasets)).problems).toEqual([]);
          empty = temporaryPath();
          return;
        }
        const isForPerson = [ShapeError, ConfigError, UsageError].some((kind) => problem instanceof kind);
        expect(isForPerson ? "" : (problem as Error).stack).toBe("");
        expect((problem as Error).message).toContain(`a.${ending}`);
        for (const table of ["run", "snapshot", "account", "link"])
          expect(query(empty, `select count(*) as n from ${table}`)).toEqual([{ n: 0 }]);
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });
});
