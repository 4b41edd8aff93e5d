import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { report } from "../../../src/commands/read/report.ts";
import { ConfigError, UsageError } from "../../../src/core/errors.ts";
import { equity } from "../../../src/datasets/snapshots/equity.ts";
import { equityRow, hour, storeRun } from "../../reports/kit.ts";
import { start } from "../../store/kit.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { runInProcess as run } from "../../support/in-process.ts";

let path: string;
const print = (...args: string[]) =>
  run(["report", ...args], dirname(path), { DATABASE_URL: `file:${path}`, TZ: "Asia/Tokyo" });

/** 25 hourly snapshots of equity, from midnight to midnight. */
beforeEach(async () => {
  path = temporaryPath();
  const store = await open(path);
  await store.setSchedule("main", "equity", "0 * * * *", start - 1);
  for (let n = 0; n <= 24; n += 1) await storeRun(store, equity, start + n * hour, [equityRow(`100.${n}0`)]);
  store.close();
});

it("report prints whole days of the configured time zone as CSV", async () => {
  const { code, stdout } = await print("equity", "--from", "2026-11-01", "--to", "2026-11-02");
  expect([code, stdout]).toEqual([
    0,
    "day,account,opening,closing,change,spot_usdt,futures_usdt,other_usdt,complete,taken_at,lowest,lowest_at,highest,highest_at,slots,slots_ok,coverage,priced_usdt,unpriced,missing\r\n" +
      "2026-11-01,main,,100.230,,100.230,,,1,2026-11-01T23:00:00.000Z,100.00,2026-11-01T00:00:00.000Z,100.90,2026-11-01T09:00:00.000Z,24,24,complete,100.230,,\r\n",
  ]);
  expect((await print("equity", "--from", "2026-11", "--to", "2026-11-02")).stdout).toBe(stdout);
  const berlin = await print("coverage", "--timezone", "Europe/Berlin", "--to", "2026-11-02", "--account", "main");
  expect(berlin.stdout.split("\r\n").slice(1)).toEqual(["2026-11-01,main,equity,23,23,0,0,0,0,partly due,", ""]);
});

it("report reads a time without an offset in its time zone, as the other commands do", async () => {
  const hours = ["--from", "2026-11-01T20:00", "--to", "2026-11-01T21:00", "--timezone"];
  const rows = async (zone: string) => (await print("equity", ...hours, zone)).stdout.split("\r\n").slice(1, -1);
  expect(await rows("Asia/Tokyo")).toEqual([expect.stringMatching(/^2026-11-01,main/)]);
  expect(await rows("America/Los_Angeles")).toEqual([expect.stringMatching(/^2026-11-01,main/)]);
});

it("report returns is by month, unless something else is asked for", async () => {
  const firstCells = async (...args: string[]) =>
    (await print("returns", "--to", "2026-11-02", ...args)).stdout.split("\r\n").map((line) => line.split(",")[0]);
  expect(await firstCells()).toEqual(["month", "2026-11", ""]);
  expect(await firstCells("--by", "day")).toEqual(["day", "2026-11-01", ""]);
});

it("report says on stderr that there are no rows, and stdout has the header alone", async () => {
  const { code, stdout, stderr } = await print("fills", "--to", "2026-11-02");
  expect([code, stdout.split("\r\n").length]).toEqual([0, 2]);
  expect(stderr).toBe(
    "fills has no rows from 2026-11-01 00:00:00 to 2026-11-02 00:00:00 (UTC); `report coverage` says what was collected.\n",
  );
  expect((await print("equity", "--to", "2026-11-02")).stderr).toBe("");
  expect((await print("equity", "--to", "2020-01-01")).stderr).toContain("equity has no rows: nothing is recorded of");
  expect((await print("fills", "--to", "2026-11-02", "--out", "fills.csv")).stderr).toContain("fills has no rows from");
  for (const file of ["equity.svg", "equity.png"]) {
    expect((await print("equity", "--from", "2025-01-01", "--to", "2026-10-01", "--out", file)).stderr).toContain(
      "the chart of equity has no values",
    );
    expect((await print("equity", "--to", "2026-11-02", "--out", file)).stderr).toMatch(/ was written\n$/);
  }
  for (const out of [[], ["--out", "koinly.csv"]])
    expect((await print("ledger", "--to", "2026-11-02", "--for", "koinly", ...out)).stderr).toContain(
      "the file for koinly has no rows",
    );
});

it("report writes a CSV file or a chart, and names it", async () => {
  const folder = dirname(path);
  const csv = await print("coverage", "--by", "month", "--to", "2026-11-02", "--out", "coverage.csv");
  expect([csv.code, csv.stdout]).toEqual([0, ""]);
  expect(csv.stderr).toContain(`${join(folder, "coverage.csv")} was written`);
  expect(readFileSync(join(folder, "coverage.csv"), "utf8")).toContain("month,account,dataset");
  expect((await print("equity", "--to", "2026-11-02", "--out", "equity.svg")).code).toBe(0);
  expect(readFileSync(join(folder, "equity.svg"), "utf8")).toContain("<svg");
  expect((await print("equity", "--to", "2026-11-02", "--out", "equity.png")).code).toBe(0);
  expect(readFileSync(join(folder, "equity.png")).subarray(1, 4).toString()).toBe("PNG");
  expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
});

it("report lists the reports, and rejects invalid arguments", async () => {
  const printed: string[] = [];
  const call = (args: string[], options: Record<string, string | boolean> = {}) =>
    report.run({
      args,
      options,
      env: { DATABASE_URL: `file:${path}` },
      print: (line) => void printed.push(line.split(" ")[0] ?? ""),
      write: async () => true,
      isTerminal: false,
      isColoured: false,
      width: 120,
      printError: () => {},
    });
  await call([], { list: true });
  expect(printed).toEqual([
    ...["balances", "positions", "episodes", "equity", "changes", "coverage"],
    ...["ledger", "bills", "fills", "funding", "fees", "pnl", "returns", "reconciliation"],
  ]);
  await expect(call([])).rejects.toThrow(UsageError);
  await expect(call(["nonsense"])).rejects.toThrow(UsageError);
  await expect(call(["equity"], { timezone: "Europe/Berln" })).rejects.toThrow(UsageError);
  await expect(call(["equity"], { timezone: "JST" })).rejects.toThrow('--timezone is "JST", an abbreviation');
  await expect(call(["equity"], { by: "week" })).rejects.toThrow(UsageError);
  await expect(call(["equity"], { from: "2026-02-30" })).rejects.toThrow(UsageError);
  await expect(call(["equity"], { from: "2026-11-01", to: "2026-11-01" })).rejects.toThrow("--to is not after --from");
  await expect(call(["equity"], { account: "hedge" })).rejects.toThrow(
    '--account "hedge" has no history; accounts: main',
  );
  await expect(call(["coverage"], { out: join(dirname(path), "x.svg") })).rejects.toThrow(
    "coverage has no chart, unlike equity",
  );
  await expect(call(["coverage"], { out: dirname(path) })).rejects.toThrow("not a regular file");
  await expect(call(["coverage"], { out: join(dirname(path), "nowhere", "x.csv") })).rejects.toThrow(ConfigError);
  const { stderr } = await print("coverage", "--out", "nowhere/x.csv");
  expect(stderr).toMatch(/nowhere does not exist\. Create that folder, .*\nFix it, then try again\.\n$/);
});
