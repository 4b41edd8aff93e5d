/** Tests daily reports, which the parts of the daemon write while they collect, on a clock that the test sets. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parsePattern } from "../../src/core/cron.ts";
import { ConfigError } from "../../src/core/errors.ts";
import { createLog } from "../../src/core/log.ts";
import { createDailyReports } from "../../src/reports/daily.ts";
import { reports } from "../../src/reports/index.ts";
import { temporaryFolder } from "../support/files.ts";
import { createWorld, type World } from "../support/world.ts";

const hourly = { SCHEDULE_EQUITY: "0 * * * *", SCHEDULE_SPOT_ASSETS: "0 * * * *" };
const names = reports.map(({ name }) => name).sort();
const filesOf = (...days: string[]) => names.flatMap((name) => days.map((day) => `${name}-${day}.csv`));

function dailyReports(world: World, timezone = "America/New_York", directory = join(temporaryFolder(), "reports")) {
  const logged: string[] = [];
  const log = createLog({ level: "info", format: "json", secrets: [], write: (line) => void logged.push(line) });
  const schedule = parsePattern("5 0 * * *", timezone);
  const daily = createDailyReports({ databasePath: world.path, directory, schedule, clock: world.clock, log });
  onTestFinished(() => daily.stop());
  const tick = async () => {
    daily.tick();
    await daily.idle();
  };
  return { daily, directory, logged, tick, files: () => readdirSync(directory) };
}

/** Collects at every full hour up to an instant. */
async function live(world: World, to: string): Promise<void> {
  const hour = 3_600_000;
  const begin = Math.floor(world.clock.now() / hour) * hour;
  for (let slot = begin + hour; slot <= Date.parse(to); slot += hour) await world.at(slot);
  await world.at(to);
}

describe("daily reports", () => {
  it("are written when the local day is over, one file each, accessible to their owner only", async () => {
    const world = await createWorld("2026-10-31T20:30:00Z", hourly);
    const { directory, files, tick } = dailyReports(world);
    await live(world, "2026-11-02T05:05:00Z");
    await tick();
    expect(files()).toEqual(filesOf("2026-10-31", "2026-11-01"));
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, "equity-2026-11-01.csv")).mode & 0o777).toBe(0o600);
    const coverage = readFileSync(join(directory, "coverage-2026-11-01.csv"), "utf8");
    expect(coverage.split("\r\n").filter((line) => line.includes(",equity,"))).toEqual([
      "2026-11-01,main,equity,25,25,0,0,0,0,complete,",
    ]);
    await live(world, "2026-11-03T05:04:00Z");
    await tick();
    expect(files()).toEqual(filesOf("2026-10-31", "2026-11-01"));
    await live(world, "2026-11-03T05:05:00Z");
    await tick();
    expect(files()).toEqual(filesOf("2026-10-31", "2026-11-01", "2026-11-02"));
  });

  it("are never overwritten, also not through a link, and written again if one is missing", async () => {
    const world = await createWorld("2026-11-01T00:30:00Z", hourly);
    const { directory, files, tick } = dailyReports(world, "UTC");
    const elsewhere = join(temporaryFolder(), "elsewhere");
    mkdirSync(directory);
    writeFileSync(join(directory, "equity-2026-11-01.csv"), "mine");
    symlinkSync(elsewhere, join(directory, "changes-2026-11-01.csv"));
    await live(world, "2026-11-02T00:05:00Z");
    await tick();
    expect(readFileSync(join(directory, "equity-2026-11-01.csv"), "utf8")).toBe("mine");
    expect(() => statSync(elsewhere)).toThrow("ENOENT");
    rmSync(join(directory, "balances-2026-11-01.csv"));
    await live(world, "2026-11-03T00:05:00Z");
    await tick();
    expect(files()).toContain("balances-2026-11-01.csv");
  });

  it("of days that passed while the program was off wait until all their slots have final rows", async () => {
    const world = await createWorld("2026-11-01T00:30:00Z", hourly);
    await live(world, "2026-11-01T20:30:00Z");
    const { directory, files, tick } = dailyReports(world, "UTC");
    world.clock.advanceTo(Date.parse("2026-11-03T12:30:00Z"));
    await tick();
    expect(files()).toEqual([]);
    await world.tick();
    await tick();
    expect(files()).toEqual([]);
    world.clock.advanceTo(Date.parse("2026-11-03T12:30:06Z"));
    await tick();
    expect(files()).toEqual(filesOf("2026-11-01", "2026-11-02"));
    expect(readFileSync(join(directory, "equity-2026-11-02.csv"), "utf8")).toContain(
      "\r\n2026-11-02,main,,,,,,,,,,,,,24,0,none,,,\r\n",
    );
  });

  it("of the exchange's ledger wait for its last entries of the day", async () => {
    const world = await createWorld("2026-11-01T00:10:00Z", { ...hourly, SCHEDULE_BILLS: "30 * * * *" });
    const { directory, files, tick } = dailyReports(world, "UTC");
    await live(world, "2026-11-01T00:30:00Z");
    await world.at("2026-11-01T23:30:00Z");
    await live(world, "2026-11-02T00:05:00Z");
    await tick();
    const others = reports.filter(({ usesLedger }) => !usesLedger).map(({ name }) => `${name}-2026-11-01.csv`);
    expect(files()).toEqual(others.sort());
    await world.at("2026-11-02T00:30:00Z");
    await tick();
    expect(files()).toEqual(filesOf("2026-11-01"));
    expect(readFileSync(join(directory, "fees-2026-11-01.csv"), "utf8")).toMatch(
      /,USDT,-[\d.]+,\d+,-[\d.]+,complete\r\n/,
    );
  });

  it("that cannot be written are one line in the log, leave no file, and are retried at the next slot", async () => {
    const world = await createWorld("2026-11-01T00:30:00Z", hourly);
    const { directory, files, logged, tick } = dailyReports(world, "UTC");
    await live(world, "2026-11-02T00:05:00Z");
    mkdirSync(join(directory, ".balances-2026-11-01.csv.part", "in the way"), { recursive: true });
    await tick();
    await tick();
    expect(logged.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      expect.stringMatching(
        /^daily reports: .*balances-2026-11-01.csv was not written \(E[A-Z_]+\)\. .* Missing reports are retried at 2026-11-03T00:05:00.000Z\.$/,
      ),
    ]);
    expect(files().filter((name) => name.endsWith(".csv"))).toEqual([]);
    rmSync(join(directory, ".balances-2026-11-01.csv.part"), { recursive: true });
    await live(world, "2026-11-03T00:05:00Z");
    await tick();
    expect(files()).toEqual(filesOf("2026-11-01", "2026-11-02"));
  });

  it("reject an unusable folder before they begin", async () => {
    const world = await createWorld("2026-11-01T00:30:00Z", hourly);
    const { daily } = dailyReports(world, "UTC", "/proc/reports");
    expect(() => daily.prepare()).toThrow(ConfigError);
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    expect(() => dailyReports(world, "UTC", file).daily.prepare()).toThrow("REPORTS_DIR");
  });
});

describe("the schedule of the reports", () => {
  it("has one slot on every local day, of any length", () => {
    const slotsOf = (timezone: string, from: string, to: string) => {
      const pattern = parsePattern("5 0 * * *", timezone);
      const found: string[] = [];
      for (let slot = pattern.next(Date.parse(from)); slot < Date.parse(to); slot = pattern.next(slot)) {
        expect(pattern.latest(slot + 1000)).toBe(slot);
        found.push(new Date(slot).toISOString().slice(0, 16));
      }
      return found;
    };
    expect(slotsOf("Asia/Beirut", "2026-03-27T12:00Z", "2026-03-30T12:00Z")).toEqual([
      "2026-03-27T22:05",
      "2026-03-28T22:00",
      "2026-03-29T21:05",
    ]);
    expect(slotsOf("America/New_York", "2026-10-31T12:00Z", "2026-11-03T00:00Z")).toEqual([
      "2026-11-01T04:05",
      "2026-11-02T05:05",
    ]);
    expect(slotsOf("America/Havana", "2026-10-31T12:00Z", "2026-11-03T00:00Z")).toEqual([
      "2026-11-01T04:05",
      "2026-11-02T05:05",
    ]);
  });
});
