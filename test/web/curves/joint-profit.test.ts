/** The curve of profits of several accounts is at every point what the exact results are, whatever happens in one of them. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { pause, runToEnd } from "../../../src/core/async/cooperate.ts";
import { add, compare, divide, round, subtract } from "../../../src/core/decimal.ts";
import type { DecimalString, Scope } from "../../../src/core/domain.ts";
import { bills } from "../../../src/datasets/ledger/bills.ts";
import { equity } from "../../../src/datasets/snapshots/equity.ts";
import { Valuations } from "../../../src/reports/ledger/valuations.ts";
import { growthAcross } from "../../../src/returns/time-weighted.ts";
import { reconcileFile } from "../../../src/store/ledger/reconcile-file.ts";
import { openHistory } from "../../../src/store/read/open-history.ts";
import { Curves } from "../../../src/web/curves/curves.ts";
import { PaidCache } from "../../../src/web/curves/profit/paid.ts";
import { ProfitCurves } from "../../../src/web/curves/profit/profit-curve.ts";
import { readDrawdown } from "../../../src/web/data/results/drawdown.ts";
import { jointValuations } from "../../../src/web/data/results/joint-valuations.ts";
import { createView } from "../../../src/web/pages/parts/query-params.ts";
import { collect, good, item, minute, start } from "../../store/kit.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { rowOf } from "../../support/rows.ts";

const hour = 60 * minute;

/** What happens in an account. Times are in slots after `start`; those between two slots are fractions. */
interface Life {
  /** What it earns up to each slot since the one before; null: no snapshot, "incomplete": one with an unknown part. */
  slots: (number | null | "incomplete")[];
  begin: number;
  payments: [at: number, amount: number][];
  upgrade: number | null;
}

/** The second in the minute of each account's snapshots, and how long one takes. Milliseconds. */
const phases = { main: 0, hedge: 20_000 };
const tookMs = 3000;

/** Stores accounts with a slot each `step`, and returns when the last one ended. */
async function storeLives(path: string, lives: Record<keyof typeof phases, Life>, step: number): Promise<number> {
  const store = await open(path);
  let end = 0;
  for (const [account, phase] of Object.entries(phases)) {
    const { slots, begin, upgrade, ...life } = lives[account as keyof typeof phases];
    const payments = life.payments.toSorted(([one], [other]) => one - other);
    const instant = (at: number) => Math.round(start + at * step);
    const pattern = `${phase / 1000} ${step === minute ? "*" : "0"} * * * *`;
    for (const { name } of [equity, bills]) await store.setSchedule(account, name, pattern, instant(begin) - step);
    await store.setApiVersion(account, "v2", instant(begin) - step, "first seen");
    if (upgrade !== null) await store.setApiVersion(account, "v3", instant(upgrade), "upgraded");
    let held = 1000;
    for (const [at, made] of slots.entries()) {
      if (typeof made === "number") held += made;
      if (at < begin || made === null) continue;
      const slot = instant(at) + phase;
      const takenAt = slot + tookMs;
      const isUnified = upgrade !== null && takenAt > instant(upgrade);
      const paid = payments.filter(([time]) => time >= begin && instant(time) <= takenAt);
      const usdt = String(paid.reduce((sum, [, amount]) => sum + amount, held));
      const parts = isUnified ? { unifiedUsdt: usdt } : { spotUsdt: usdt, futuresUsdt: "0" };
      const cells = made === "incomplete" ? { complete: 0 } : { usdtEquity: usdt, ...parts, complete: 1 };
      await collect(store, equity, slot, { snapshots: [good([item(equity, cells)], takenAt)] }, account);
      end = Math.max(end, takenAt + 1000);
    }
    const scopes: Scope[] = upgrade === null ? ["spot"] : ["spot", "unified/SPOT"];
    const snapshots = scopes.map((scope) => {
      let balance = 0;
      const items = payments.flatMap(([at, amount], index) => {
        if (at < begin || scopes[upgrade !== null && at > upgrade ? 1 : 0] !== scope) return [];
        balance += amount;
        const type = amount < 0 ? "withdraw" : "deposit";
        const own = { coin: "USDT", billId: String(1000 + index), at: instant(at), type, amount: String(amount) };
        const row = rowOf(bills, { ...own, fee: "0", balance: String(balance), symbol: null, groupType: "" });
        return [{ row, extra: null }];
      });
      return { scope, takenAt: end, items, reading: { through: end + hour, window: null, hole: null } };
    });
    await collect(store, bills, end, { snapshots }, account);
  }
  await store.close();
  await reconcileFile(path, { now: end + hour });
  return end;
}

/** Reads the curve at every point and downsampled, and the exact results at every valuation of all accounts together. */
function read(path: string, now: number) {
  const history = openHistory(path);
  const view = createView(
    history,
    { account: null, at: null, isExact: false, params: {} },
    { timezone: "UTC", now: () => now },
  );
  const profits = new ProfitCurves(new Curves(), new PaidCache());
  const request = { from: null, to: now, now, lines: null };
  const points = [...profits.points(view, { ...request, width: 50 })].filter((one) => one !== pause);
  const drawn = (width: number) => {
    const { at, lines } = runToEnd(profits.curve(view, { ...request, width }));
    return at.map((each, index) => ({ at: each, values: lines.map(({ values }) => values[index] ?? null) }));
  };
  const source = { history, account: null, now };
  const accounts = Object.keys(phases).map((account) => {
    const valuations = runToEnd(new Valuations(source, account).in({ from: start - hour, to: now }));
    return { account, valuations, isOld: false };
  });
  const joint = jointValuations(accounts, true);
  const found = { points, narrow: drawn(50), wide: drawn(4000), joint, drawdown: runToEnd(readDrawdown(view, 0)) };
  history.close();
  return found;
}

type Found = ReturnType<typeof read>;

/** Returns "slot profit drawdown" of each known point; a slot is in the minute of the first account. */
const linesOf = (points: Found["points"], step: number): string[] =>
  points
    .filter(({ values }) => values[0] !== null)
    .map(({ at, values }) => `${Math.floor((at - start) / step)} ${values.map((value) => rounded(value)).join(" ")}`);

const rounded = (value: DecimalString | null | undefined): string => round(value ?? "0", 12);

function exactLines(joint: Found["joint"], step: number): string[] {
  let [profit, peak] = ["0", "1"];
  const growth = [...growthAcross(joint)];
  const points = joint.flatMap(({ at, equity, flow, times }, index): [slot: number, values: string][] => {
    const before = joint[index - 1];
    const { least = "1", isAfterUnknown = false } = growth[index] ?? {};
    if (before && flow !== null) profit = add(profit, subtract(subtract(equity, before.equity), flow));
    if (compare(least, peak) > 0) peak = least;
    const drawdown = divide(subtract(least, peak), peak);
    expect(isAfterUnknown).toBe(before !== undefined && flow === null);
    return times ? [[Math.floor((at - start) / step), `${rounded(profit)} ${rounded(drawdown)}`]] : [];
  });
  // An account that begins has a point of its own in the slot.
  return [...new Map(points)].map((point) => point.join(" "));
}

const lowestOf = (points: Found["points"]): string =>
  points.flatMap(({ values }) => values[1] ?? []).reduce((one, other) => (compare(one, other) <= 0 ? one : other), "0");

it("has the loss of the sum across the upgrade of one account, as the exact drawdown, also downsampled", async () => {
  const path = temporaryPath();
  const earned = (at: number) => ((at * 7919) % 23) - 11 - (at === 90 ? 150 : 0);
  const all = Array.from({ length: 12 * 24 }, (_, at) => at);
  // The upgrade is before the snapshot of its slot, and the deposit between those of both accounts.
  const main: Life = {
    begin: 0,
    slots: all.map((at) => (at >= 140 && at < 145 ? null : at === 200 ? "incomplete" : earned(at))),
    payments: [[30 + 10 / 3600, 500]],
    upgrade: 60 + 1 / 3600,
  };
  const hedge: Life = {
    begin: 5,
    slots: all.map((at) => -earned(at + 5) / 4),
    payments: [[142.5, -200]],
    upgrade: null,
  };
  const now = await storeLives(path, { main, hedge }, hour);
  const found = read(path, now);
  expect(linesOf(found.points, hour)).toEqual(exactLines(found.joint, hour));
  const depth = round(found.drawdown?.largest.depth ?? "", 12);
  for (const points of [found.points, found.wide, found.narrow]) expect(rounded(lowestOf(points))).toBe(`-${depth}`);
  expect(found.narrow.length).toBeLessThan(found.points.length);
  expect(found.drawdown).toMatchObject({ leftOutMs: hour, isWithoutFlows: true });
});

const made = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: -40, max: 40 }) },
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constant("incomplete" as const) },
);
const time = fc.integer({ min: 0, max: 30 * 60 - 1 }).map((second) => second / 60 + 1 / 1000);
const life = (hasUpgrade: boolean): fc.Arbitrary<Life> =>
  fc.record({
    // An account begins with a known equity.
    slots: fc
      .tuple(...[4, 26].map((minLength) => fc.array(made, { minLength, maxLength: minLength })))
      .map(([first = [], rest = []]) => [...first.map((one) => (typeof one === "number" ? one : 0)), ...rest]),
    begin: fc.integer({ min: 0, max: 3 }),
    payments: fc.array(fc.tuple(time, fc.integer({ min: -60, max: 200 })), { maxLength: 6 }),
    upgrade: hasUpgrade ? time : fc.constant(null),
  });

it("is at every point what the exact results are, with gaps, payments and an upgrade in different accounts", async () => {
  await fc.assert(
    fc.asyncProperty(life(true), life(false), async (main, hedge) => {
      const path = temporaryPath();
      const now = await storeLives(path, { main, hedge }, minute);
      const found = read(path, now);
      const lines = linesOf(found.points, minute);
      expect(lines).toEqual(exactLines(found.joint, minute));
      expect(linesOf(found.wide, minute)).toEqual(lines);
    }),
    { numRuns: 25 },
  );
});
