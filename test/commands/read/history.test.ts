import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { collect, failed, good, item, minute, query, start } from "../../store/kit.ts";
import { positions, spotAssets } from "../../store/minutes.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { runInProcess as run } from "../../support/in-process.ts";

let path: string;
const history = (...args: string[]) => run(["history", ...args], dirname(path), { DATABASE_URL: `file:${path}` });
/** Returns the given columns of every printed row. */
async function rows(args: string[], ...columns: string[]): Promise<unknown[][]> {
  const { stdout } = await history(...args, "--format", "ndjson");
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => columns.map((name) => (JSON.parse(line) as Record<string, unknown>)[name]));
}
const at = (minutes: number) => new Date(start + minutes * minute).toISOString();

const coin = (name: string, available: string) => item(spotAssets, { coin: name, available });
const position = (markPrice: string) =>
  item(positions, {
    symbol: "BTCUSDT",
    marginCoin: "USDT",
    holdSide: "long",
    marginMode: "crossed",
    total: "1",
    markPrice,
  });

/** Five minutes of two coins and one position; the product type umcbl fails in the fourth minute. */
beforeEach(async () => {
  path = temporaryPath();
  const store = await open(path);
  await store.setSchedule("main", "positions", "* * * * *", start - minute);
  const balances = ["0.10", "0.10", "0.2", "0.20", "0.20"];
  for (const [n, available] of balances.entries()) {
    const slot = start + n * minute;
    await collect(store, spotAssets, slot, { snapshots: [good([coin("BTC", available), coin("USDT", "5")], slot)] });
    const line = good([], slot, "dmcbl");
    await collect(
      store,
      positions,
      slot,
      n === 3
        ? { snapshots: [line], failures: [failed("timeout", slot, "umcbl")] }
        : { snapshots: [line, good([position(n === 4 ? "61001" : "61000.0")], slot, "umcbl")] },
    );
  }
  store.close();
});

describe("history over a period", () => {
  it("prints every row, the newest last, with the columns of the view", async () => {
    expect(await rows(["spot-assets", "--coin", "btc"], "taken_at", "available")).toEqual([
      [at(0), "0.10"],
      [at(1), "0.10"],
      [at(2), "0.2"],
      [at(3), "0.20"],
      [at(4), "0.20"],
    ]);
  });

  it("begins at --from and ends before --to", async () => {
    const span = ["spot-assets", "--coin", "BTC", "--from", at(1), "--to", at(3)];
    expect(await rows(span, "taken_at")).toEqual([[at(1)], [at(2)]]);
  });

  it("prints the newest rows with --limit", async () => {
    expect(await rows(["spot-assets", "--limit", "3"], "taken_at", "coin")).toEqual([
      [at(3), expect.any(String)],
      [at(4), expect.any(String)],
      [at(4), expect.any(String)],
    ]);
  });

  it("prints with --changes the rows that differ from the previous row of the same item, to the last digit", async () => {
    expect(await rows(["spot-assets", "--changes"], "taken_at", "coin", "available")).toEqual([
      [at(0), "BTC", "0.10"],
      [at(0), "USDT", "5"],
      [at(2), "BTC", "0.2"],
      [at(3), "BTC", "0.20"],
    ]);
    expect(await rows(["positions", "--changes", "--from", at(1)], "taken_at", "mark_price")).toEqual([
      [at(4), "61001"],
    ]);
  });

  it("treats option values as data, whatever they contain", async () => {
    expect(await rows(["spot-assets", "--coin", "x' or '1'='1"], "coin")).toEqual([]);
    expect(await rows(["positions", "--product-type", "USDT-FUTURES", "--limit", "1"], "product_type")).toEqual([
      ["umcbl"],
    ]);
  });

  it("limits a table to the newest 50 rows, with a message", async () => {
    const store = await open(path);
    const coins = Array.from({ length: 60 }, (_, n) => coin(`COIN${n}`, "1"));
    await collect(store, spotAssets, start + 9 * minute, { snapshots: [good(coins, start + 9 * minute)] });
    const { stdout, stderr } = await history("spot-assets");
    expect(stdout.trimEnd().split("\n")).toHaveLength(51);
    expect(stderr).toContain("The newest 50 rows; there are more.");
  });

  it.each([
    [["spot-assets", "--coin", "ADA"], "ADA was never recorded"],
    [["spot-assets", "--coin", "USTD"], "USTD was never recorded; did you mean USDT?"],
    [["spot-assets", "--coin", "BTC", "--to", "2020-01-01"], "`status` lists the accounts and datasets."],
    [["spot-assets", "--coin", "btcusdt"], "BTCUSDT is a symbol: did you mean --coin BTC?"],
    [["positions", "--symbol", "btc"], "BTC is a coin: did you mean --symbol BTCUSDT?"],
  ])("says on stderr that no row matches %j, and what to try", async (args, hint) => {
    const { code, stdout, stderr } = await history(...args);
    expect([code, stdout.trimEnd().split("\n").length]).toEqual([0, 1]);
    expect(stderr).toContain(`No row matches these options; ${hint}`);
  });

  it.each([
    [["bills", "--kind", "fees"], 'unknown --kind "fees"; did you mean fee? values: trade, fee,'],
    [["bills", "--wallet", "sopt"], 'unknown --wallet "sopt"; did you mean spot? wallets: spot,'],
    [["positions", "--product-type", "USDT-FUTRES"], "did you mean USDT-FUTURES? product types: umcbl,"],
    [["positions", "--columns", "symbl"], 'unknown column "symbl"; did you mean symbol? columns: account,'],
  ])("refuses the unknown name in %j", async (args, text) => {
    expect(await history(...args)).toMatchObject({ code: 64, stderr: expect.stringContaining(text) });
  });

  it("is refused for an account without history, whose rows would look like those of an empty one", async () => {
    for (const args of [["history", "spot-assets"], ["report", "balances"], ["reconcile"]])
      expect(await run([...args, "--account", "mian"], dirname(path), { DATABASE_URL: `file:${path}` })).toMatchObject({
        code: 64,
        stdout: "",
        stderr: '--account "mian" has no history; did you mean main? accounts: main\n',
      });
  });
});

describe("the columns of history", () => {
  const lines = async (...args: string[]) => (await history(...args)).stdout.trimEnd().split("\n");

  it("are in a table those that fit, with a message; all with --wide", async () => {
    const { stdout, stderr } = await history("positions", "--limit", "1");
    expect(stdout.split("\n")[0]).toMatch(/^taken_at \(UTC\) +symbol +side +leverage +size /);
    expect(stderr).toMatch(/^\+\d+ columns, and all digits: --wide\n$/);
    const [header = ""] = await lines("positions", "--wide");
    const [csv = ""] = await lines("positions", "--format", "csv");
    expect(header.split(/ +/)).toEqual(csv.trim().split(","));
  });

  it("are those of --columns in their order, in every format", async () => {
    const args = ["spot-assets", "--columns", "coin,available", "--coin", "BTC", "--limit", "1"];
    expect(await lines(...args)).toEqual(["coin  available", "BTC   0.20"]);
    expect((await history(...args, "--format", "csv")).stdout).toBe("coin,available\r\nBTC,0.20\r\n");
    expect((await history("spot-assets", "--columns", "coin,amount")).code).toBe(64);
    expect((await history("spot-assets", "--columns", "coin", "--wide")).code).toBe(64);
  });

  it("are one per line in a record", async () => {
    const args = ["spot-assets", "--columns", "coin,available", "--at", at(0.5), "--format", "record"];
    expect(await lines(...args)).toEqual([
      ...["-[ 1 ]-----", "coin       BTC", "available  0.10"],
      ...["-[ 2 ]-----", "coin       USDT", "available  5"],
    ]);
  });
});

describe("history at one time", () => {
  it("is the last good snapshot of every scope, with its age", async () => {
    const args = ["positions", "--at", at(3.5)];
    expect(await rows(args, "taken_at", "mark_price")).toEqual([[at(2), "61000.0"]]);
    const { code, stderr } = await history(...args);
    expect(code).toBe(0);
    expect(stderr).toContain(`main positions umcbl: snapshot of ${at(2)}, 90 s before ${at(3.5)}\n`);
    expect(stderr).toContain(`main positions dmcbl: snapshot of ${at(3)}, 30 s before ${at(3.5)}\n`);
  });

  it("is unknown when that is older than two periods of the schedule then in force", async () => {
    const { code, stdout, stderr } = await history("positions", "--at", at(6.5), "--format", "ndjson");
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toContain(`main positions umcbl: unknown at ${at(6.5)}`);
    expect(stderr).toContain("3 min older, more than two periods (2 min)");
  });

  it("is unknown before the first good snapshot", async () => {
    const { stdout, stderr } = await history("positions", "--at", at(-0.5), "--format", "ndjson");
    expect(stdout).toBe("");
    expect(stderr).toContain("there is no good snapshot before");
  });

  it("of data that was only collected manually prints the age and the rows", async () => {
    const args = ["spot-assets", "--at", at(60 * 24)];
    expect(await rows(args, "coin", "available")).toEqual([
      ["BTC", "0.20"],
      ["USDT", "5"],
    ]);
    expect((await history(...args)).stderr).toContain("24 h before");
  });

  it("equals the result of the guide's SQL in any tool", async () => {
    const written =
      /```sql\n(select p\.\* from positions_history[\s\S]*?)```/.exec(
        readFileSync("docs/guides/querying.md", "utf8"),
      )?.[1] ?? "";
    const sql = written.replace("2026-11-20T12:00:00.000Z", at(3.5)).replace("2026-11-20T11:50:00.000Z", at(1.5));
    const printed = await history("positions", "--at", at(3.5), "--format", "json");
    expect(query(path, sql)).toEqual(JSON.parse(printed.stdout));
    expect(query(path, sql)).toHaveLength(1);
  });

  it("omits a scope that was no longer requested then", async () => {
    const store = await open(path);
    const slot = start + 5 * minute;
    await collect(store, positions, slot, { snapshots: [good([position("1")], slot, "umcbl")] });
    const { stderr } = await history("positions", "--at", at(5.5));
    expect(stderr).not.toContain("dmcbl");
    expect((await history("positions", "--at", at(4.5))).stderr).toContain("dmcbl");
  });
});

it("history rejects contradictory or invalid options as wrong arguments", async () => {
  for (const args of [
    ["nonsense"],
    ["spot-assets", "--at", "soon"],
    ["spot-assets", "--at", "now", "--from", "-1h"],
    ["spot-assets", "--symbol", "BTCUSDT"],
    ["prices", "--account", "main"],
    ["spot-assets", "--limit", "0"],
    ["spot-assets", "--format", "xml"],
  ])
    expect((await history(...args)).code, args.join(" ")).toBe(64);
});
