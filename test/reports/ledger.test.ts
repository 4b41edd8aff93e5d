/** Reports of the exchange's ledger, from accounts of the simulated exchange, against what the exchange knows of them. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runToEnd } from "../../src/core/async/cooperate.ts";
import { add, isZero, normalize, subtract } from "../../src/core/decimal.ts";
import { type Flow, flowsOf } from "../../src/queries/flows.ts";
import type { TrueEntry } from "../../src/simulator/record.ts";
import { withHistory } from "../../src/store/read/open-history.ts";
import { classic, credentials, unified } from "../support/settings.ts";
import { type OpenWorld, openWorld } from "../support/world.ts";
import { days, lines, reportRows } from "./kit.ts";

const hour = 3_600_000;
const start = Date.parse("2026-10-20T18:00:00Z");
const span = days("2026-10-20", "2026-10-22");
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);

const schedule = "0 * * * *";
const settings = {
  SCHEDULE_SPOT_ASSETS: schedule,
  SCHEDULE_FUNDING_ASSETS: schedule,
  SCHEDULE_MIX_ACCOUNTS: schedule,
  SCHEDULE_PRICES: schedule,
  SCHEDULE_EQUITY: schedule,
  SCHEDULE_BILLS: schedule,
  SCHEDULE_WITHDRAWALS: schedule,
};

const newWorld = (folder: string, account = classic) =>
  openWorld(
    join(folder, "collector.db"),
    "2026-10-20T17:59:30Z",
    { ...settings, ...credentials(account) },
    { accounts: [account], from: start - 12 * hour, habits: { hasCashFlows: true, activity: 12 } },
  );

/** Collects every hour. */
async function live(world: OpenWorld, from: number, hours: number): Promise<void> {
  for (let at = from; at <= from + hours * hour; at += hour) await world.at(at);
}

describe.each([
  ["classic", classic],
  ["unified", unified],
])("of a %s account", (_, account) => {
  let world: OpenWorld;
  let truth: TrueEntry[];

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "collector-test-"));
    world = await newWorld(folder, account);
    await live(world, start, 31);
    // The exchange lists no ledger of demo money, and none of a classic account's funding wallet.
    const isListed = ({ wallet, visibleAt }: TrueEntry) =>
      visibleAt <= world.clock.now() && wallet !== "sumcbl" && (wallet !== "funding" || account === unified);
    truth = world.exchange.ledgerOf(account.name).filter(isListed);
    return async () => {
      await world.close();
      rmSync(folder, { recursive: true });
    };
  });

  /** Returns the sums of what the exchange knows, as the report prints them. */
  function sums(partOf: (entry: TrueEntry) => string): string[] {
    const found = new Map<string, string>();
    for (const entry of truth) {
      const [part, day] = [partOf(entry), dayOf(entry.at)];
      if (isZero(part) || entry.at >= span.to) continue;
      const key = `${day} ${entry.wallet} ${entry.coin}`;
      found.set(key, add(found.get(key) ?? "0", part));
    }
    return [...found].map(([key, amount]) => `${key} ${amount} complete`).sort();
  }

  const report = (name: string) => reportRows(world.path, name, span, { now: world.clock.now() });

  it("funding and fees are the exchange's to the last digit, on every day", () => {
    const isFunding = ({ type }: TrueEntry) => /settle/i.test(type);
    const isFee = ({ type }: TrueEntry) => /handling_fee|plf_fee/i.test(type);
    const isMargin = ({ type }: TrueEntry) => /append_margin|increase_margin/i.test(type);
    const funding = sums((entry) => (isFunding(entry) ? entry.amount : "0"));
    const fees = sums((entry) => (isFee(entry) ? entry.change : isMargin(entry) ? "0" : entry.fee));
    expect(funding.length).toBeGreaterThan(2);
    expect(fees.length).toBeGreaterThan(10);
    expect(lines(report("funding"), "day", "wallet", "coin", "funding", "ledger").sort()).toEqual(funding);
    expect(lines(report("fees"), "day", "wallet", "coin", "fees", "ledger").sort()).toEqual(fees);
  });

  it("flows are what came in and left, without transfers between its wallets", () => {
    const { from, to } = { from: start - 12 * hour, to: span.to };
    const { flows, cause } = withHistory(world.path, (history) =>
      runToEnd(flowsOf({ history, account: null, now: to }, "main", { from, to })),
    );
    const flowTypes = /deposit|withdraw|^transfer|^trans_|rewards|bonus_grant|^$/i;
    const net = new Map<string, string>();
    for (const { type, coin, amount, at } of truth)
      if (flowTypes.test(type) && at < to) net.set(coin, add(net.get(coin) ?? "0", amount));
    for (const { coin, amount } of flows) net.set(coin, subtract(net.get(coin) ?? "0", amount ?? "NaN"));
    expect([...net.values()].filter((difference) => !isZero(difference))).toEqual([]);
    expect(cause).toBe(null);
    const inUsdt = flows.filter(({ coin }) => coin === "USDT");
    expect(inUsdt.map(({ usdt }) => usdt)).toEqual(inUsdt.map(({ amount }) => normalize(amount ?? "NaN")));
    const listed = truth.filter(({ at }) => at >= from && at < to).map(({ type }) => type);
    const others = listed.filter((type) => /^deposit$|^withdraw$|rewards|bonus_grant/i.test(type));
    const isTransfer = ({ kind }: Flow) => kind === "transfer";
    expect(flows.filter((flow) => !isTransfer(flow))).toHaveLength(others.length);
    expect(others.length).toBeGreaterThan(2);
    expect(flows.filter(isTransfer).length).toBeLessThan(listed.filter((type) => /^trans/i.test(type)).length - 1);
  });

  it("bills are every entry of the days, and the reconciliation covers them", () => {
    const rows = report("bills");
    expect(lines(rows, "wallet", "coin", "bill_id").sort()).toEqual(
      truth
        .filter(({ at }) => at < span.to)
        .map(({ wallet, coin, id }) => `${wallet} ${coin} ${id}`)
        .sort(),
    );
    expect(new Set(report("reconciliation").map(({ verdict }) => verdict))).toContain("proven");
  });
});
