import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { linesOrError, renderInPlace } from "../../../src/commands/read/watch.ts";
import { type Line, overviewLines } from "../../../src/commands/read/watch-lines.ts";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { prices } from "../../../src/datasets/snapshots/prices.ts";
import { spotAssets } from "../../../src/datasets/snapshots/spot-assets.ts";
import { scheduleAll, storeRun } from "../../reports/kit.ts";
import { start as begin, good, item, minute, query, collect as run } from "../../store/kit.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { temporaryFolder } from "../../support/files.ts";
import { runInProcess } from "../../support/in-process.ts";
import { launch, start } from "../../support/program.ts";
import { everyDataset } from "../../support/settings.ts";
import { createWorld } from "../../support/world.ts";

const plain = (text: string): Line => ({ text, tone: "plain" });
const textOf = (lines: readonly Line[]): string => lines.map(({ text }) => text).join("\n");

describe("the overview of status --watch", () => {
  it("shows equity, positions, balances and state from the database", async () => {
    const world = await createWorld("2026-03-01T12:00:30Z", everyDataset("* * * * *"));
    await world.at("2026-03-01T12:01:00Z");
    const text = textOf(overviewLines(world.path, "UTC", world.clock.now()));
    const [equity] = world.rows("select usdt_equity as value from equity_history") as { value: string }[];
    expect(text).toContain(`main     ${equity?.value.replace(/(\.\d\d)\d*$/, "$1")}`);
    const open = world.rows("select symbol, hold_side from positions_latest") as {
      symbol: string;
      hold_side: string;
    }[];
    expect(open.length).toBeGreaterThan(0);
    for (const { symbol, hold_side } of open) expect(text).toMatch(new RegExp(`main +${symbol} +${hold_side} `));
    const [coin] = world.rows("select coin, available from spot_assets_latest where coin = 'USDT'") as {
      coin: string;
    }[];
    expect(text).toMatch(new RegExp(`main +spot +${coin?.coin} `));
    expect(text).toMatch(/main +equity +fresh +\d+ (s|min) +\d+ s/);
    const narrow = textOf(overviewLines(world.path, "UTC", world.clock.now(), 50)).split("\n");
    expect(narrow.filter((line) => line.length > 50 || line.includes("…"))).toEqual([]);
    expect(narrow).toContainEqual(expect.stringMatching(/^account +symbol +side +leverage +size$/));
    expect(text).not.toContain("…");
    expect(text).not.toMatch(/\.\d{9}/);
  });

  it("names failures, and shows unknown values as unknown", async () => {
    const world = await createWorld("2026-03-01T12:00:30Z", everyDataset("* * * * *"));
    world.exchange.injectFault({ path: "/api/v2/mix/position", code: "40014", times: Number.POSITIVE_INFINITY });
    await world.at("2026-03-01T12:01:00Z");
    await world.at("2026-03-01T12:02:00Z");
    const lines = overviewLines(world.path, "UTC", world.clock.now() + minute);
    expect(textOf(lines)).toMatch(/main +\S+ +unknown/);
    expect(lines).toContainEqual(
      expect.objectContaining({ tone: "bad", text: expect.stringMatching(/positions +STALE +never/) }),
    );
    expect(textOf(lines)).toContain("main positions (umcbl, dmcbl, cmcbl, sumcbl): ");
    expect(textOf(lines)).toContain("give the key this permission, read only");
  });

  it("shows a dash for the value of a coin that has no price, apart from an unknown one", async () => {
    const path = temporaryPath();
    const store = await open(path);
    await scheduleAll(store, "* * * * *", begin);
    await storeRun(store, prices, begin + minute, [{ coin: "AURUM", quote: "USDT", price: null, source: "last" }]);
    const held = (coin: string) => ({ coin, available: "3", frozen: "0", locked: "0" });
    await storeRun(store, spotAssets, begin + minute, [held("AURUM"), held("NOVUM")]);
    const text = textOf(overviewLines(path, "UTC", begin + minute + 1000));
    expect(text).toMatch(/main +spot +AURUM +3 +–\n/);
    expect(text).toMatch(/main +spot +NOVUM +3 +unknown\n/);
  });

  it("escapes control characters in names", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const spot = snapshotDatasetNamed("spot-assets");
    await store.setSchedule("main", "spot-assets", "* * * * *", begin);
    const coin = item(spot, { coin: "\u001b[2JEVIL", available: "1", frozen: "0", locked: "0" });
    await run(store, spot, begin + minute, { snapshots: [good([coin], begin + minute)] });
    const text = textOf(overviewLines(path, "UTC", begin + minute + 1000));
    expect(text).toContain("\\u001b[2JEVIL");
    expect(text).not.toContain("\u001b");
  });
});

it("truncates lines at the edge of the terminal, and shows how many do not fit", () => {
  const lines = ["12345678", "123456789", "c", "d"].map(plain);
  expect(renderInPlace(lines, { columns: 8, rows: 4 }, false)).toBe(
    "\u001b[H12345678\u001b[K\n1234567…\u001b[K\nc\u001b[K\nd\u001b[K\u001b[J",
  );
  expect(renderInPlace(lines, { columns: 30, rows: 2 }, false)).toContain("12345678\u001b[K\n… 3 more lines");
});

it("assumes 80 × 24 for a terminal of unknown size", () => {
  const rendered = renderInPlace(
    [plain("12345678"), ...Array.from({ length: 30 }, () => plain("c"))],
    { columns: 0, rows: 0 },
    false,
  );
  expect(rendered).toContain("12345678\u001b[K");
  expect(rendered.split("\n")).toHaveLength(24);
  expect(rendered).toContain("… 8 more lines");
});

it("continues when the database is found to be damaged", async () => {
  const path = temporaryPath();
  const store = await open(path);
  await store.setSchedule("main", "spot-assets", "* * * * *", begin);
  store.close();
  const [{ page } = { page: 0 }] = query(path, "select rootpage as page from sqlite_schema where name = 'schedule'");
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(2048, 0xee), 0, 2048, (Number(page) - 1) * 2048);
  closeSync(file);
  expect(linesOrError(path, "UTC", begin + minute)).toEqual([
    { text: `${path} cannot be read: database disk image is malformed (SQLITE_CORRUPT)`, tone: "bad" },
  ]);
});

describe("status --watch", () => {
  const hasScript = existsSync("/usr/bin/script");

  async function database(): Promise<Record<string, string>> {
    const path = join(temporaryFolder(), "collector.db");
    const store = await open(path);
    await store.setSchedule("main", "spot-assets", "* * * * *", begin);
    return { DATABASE_URL: `file:${path}` };
  }

  /** Runs the program in a terminal of 60 columns and ends it with SIGINT when it has shown what it found. */
  async function onTerminal(env: Record<string, string>) {
    const folder = temporaryFolder();
    const watching = launch(["status", "--watch"], folder, { ...env, TERM: "xterm" }, [
      ...["sh", "-c"],
      `exec script -qec "stty cols 60 rows 24; echo \\$\\$ > pid; exec $0 $1 $2 $3" /dev/null`,
    ]);
    await watching.printed("STALE");
    process.kill(Number(readFileSync(join(folder, "pid"), "utf8")), "SIGINT");
    return watching.finished;
  }

  it("prints one block after the other without a terminal, and exits with 0 on a signal", async () => {
    const watching = start(["status", "--watch"], temporaryFolder(), await database());
    await watching.printed(/STALE[\s\S]*STALE/);
    watching.child.kill("SIGTERM");
    const { code, stdout } = await watching.finished;
    expect(code).toBe(0);
    expect(stdout).not.toContain("\u001b");
    expect(stdout.match(/^Collecting$/gm)?.length).toBeGreaterThanOrEqual(2);
  });

  it.skipIf(!hasScript)("refreshes in place in a terminal and restores it at the end", async () => {
    const { code, stdout } = await onTerminal(await database());
    expect(code).toBe(0);
    expect(stdout.startsWith("\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[H")).toBe(true);
    expect(stdout).toContain("\u001b[31mmain     spot-assets  STALE");
    expect(stdout.endsWith("\u001b[?7h\u001b[?25h\u001b[?1049l")).toBe(true);
  });

  it.skipIf(!hasScript)("has no colours if NO_COLOR is set", async () => {
    const { stdout } = await onTerminal({ ...(await database()), NO_COLOR: "1" });
    expect(stdout).toMatch(/main +spot-assets +STALE/);
    expect(stdout).not.toContain("\u001b[31m");
    expect(stdout).not.toContain("\u001b[0m");
  });

  it("cannot be combined with --json", async () => {
    const { code } = await runInProcess(["status", "--watch", "--json"], temporaryFolder(), await database());
    expect(code).toBe(64);
  });
});
