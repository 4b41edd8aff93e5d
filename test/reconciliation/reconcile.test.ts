import { expect, it } from "vitest";
import { add, compare, subtract, sum } from "../../src/core/decimal.ts";
import { Findings } from "../../src/reconciliation/chain.ts";
import type { Entry } from "../../src/reconciliation/entry.ts";
import { type ChainInput, type Reconciliation, reconcile } from "../../src/reconciliation/reconcile.ts";
import { type Interval, merged, reasons } from "../../src/reconciliation/verdict.ts";
import { random } from "../../src/simulator/market/random.ts";
import { inputOf, type Life, lifeOf, snapshotsOf, start } from "./life.ts";

const minute = 60_000;
const judged = (input: ChainInput) => reconcile(input, new Findings());
const good = ["proven", "rounded"];
const verdicts = (intervals: readonly Interval[]) => [...new Set(intervals.map(({ verdict }) => verdict))];
const without = <T>(all: readonly T[], one: T): T[] => all.filter((other) => other !== one);

it.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "proves a life that is complete, whatever the order of its entries (seed %i)",
  (seed) => {
    const life = lifeOf(seed, 400);
    const { steps, intervals } = judged(inputOf(life));
    const changeOf = new Map(steps.map(({ entry, change }) => [entry, change]));
    expect(life.entries.map((entry) => changeOf.get(entry))).toEqual(life.changes);
    expect(verdicts(intervals).filter((verdict) => !good.includes(verdict))).toEqual([]);
    expect(sum(intervals.map(({ change }) => change))).toBe(sum(life.changes));
    expect(intervals.reduce((all, { entries }) => all + entries, 0)).toBe(life.entries.length);
    for (const [index, { from }] of intervals.entries()) if (index > 0) expect(from).toBe(intervals[index - 1]?.to);
  },
);

it("finds the convention of each type from the balances", () => {
  const findings = new Findings();
  reconcile(inputOf(lifeOf(11, 500)), findings);
  const found = Object.fromEntries(findings.all().map(({ type, convention }) => [type, convention]));
  expect(found).toEqual({ close: "amount + fee", open: "amount + fee", inside: "amount", append_margin: "none" });
});

it.each(Array.from({ length: 30 }, (_, at) => at))(
  "finds one missing entry, in one stretch, with its amount (%i)",
  (seed) => {
    const life = lifeOf(100 + seed, 200);
    const dice = random(seed);
    const at = dice.integer(1, life.entries.length - 2);
    const missing = life.entries[at] as Entry;
    const change = life.changes[at] ?? "";
    const { intervals } = judged(inputOf({ ...life, entries: without(life.entries, missing) }));
    const broken = intervals.filter(({ verdict }) => !good.includes(verdict));
    // An entry that changes nothing is not missed.
    if (change === "0") return expect(broken).toEqual([]);
    expect(broken).toMatchObject([{ verdict: "break", cause: reasons.balance, residual: change }]);
    expect(broken[0]?.from).toBeLessThanOrEqual(missing.at + 15_000);
    expect(broken[0]?.to).toBeGreaterThanOrEqual(missing.at - 15_000);
  },
);

it.each([1, 2, 3, 4, 5])("proves what is left of the snapshots when three in ten are deleted (seed %i)", (seed) => {
  const life = lifeOf(200 + seed, 300);
  const dice = random(seed);
  const snapshots = life.snapshots.filter(() => dice.integer(0, 9) > 2);
  const { steps, intervals } = judged(inputOf({ ...life, snapshots }));
  expect(verdicts(intervals).filter((verdict) => !good.includes(verdict))).toEqual([]);
  expect(steps.map(({ after }) => after)).toEqual(life.entries.map(({ balance }) => balance));
});

it.each([1, 2, 3, 4, 5])("gives the same verdicts day by day as at once (seed %i)", (seed) => {
  const life = lifeOf(300 + seed, 400);
  const dice = random(seed);
  if (seed > 2) life.entries.splice(dice.integer(50, 300), 1);
  const last = life.snapshots.at(-1)?.at ?? 0;
  const whole = judged(inputOf(life, { openAfter: last }));
  const findings = new Findings();
  let known: Interval[] = [];
  let from = null as { at: number; balance: string } | null;
  for (let now = start + 600 * minute; ; now += dice.integer(60, 700) * minute) {
    const until = Math.min(now, last);
    const entries = life.entries.filter(({ at }) => at <= until && at > (from?.at ?? 0));
    const snapshots = life.snapshots.filter(({ at }) => at <= until && at >= (from?.at ?? 0));
    const part: Life = { ...life, entries, snapshots };
    const { intervals, settled }: Reconciliation = reconcile(
      inputOf(part, { before: from?.balance ?? null, openAfter: until - 15 * minute }),
      findings,
    );
    if (until === last) {
      const { intervals: end }: Reconciliation = reconcile(
        inputOf(part, { before: from?.balance ?? null, openAfter: last }),
        findings,
      );
      expect(merged([...known, ...end])).toEqual(whole.intervals);
      expect(intervals.at(-1)?.to).toBe(whole.intervals.at(-1)?.to);
      return;
    }
    if (settled) known = merged([...known, ...settled.intervals]);
    if (settled) from = { at: settled.at, balance: settled.balance };
  }
});

const entry = (at: number, more: Partial<Entry>): Entry => ({
  category: "funding",
  id: String(at),
  at: start + at * minute,
  type: "transfer",
  movesMargin: false,
  amount: "0",
  fee: null,
  otherFee: null,
  balance: null,
  ...more,
});
const snapshot = (at: number, balance: string) => ({ at: start + at * minute, balance });
const table = (entries: Entry[], snapshots: Life["snapshots"], more: Partial<ChainInput> = {}) =>
  judged(inputOf({ entries, changes: [], snapshots }, more)).intervals.map(
    ({ verdict, opening, change, closing, residual }) => [verdict, opening, change, closing, residual],
  );

it("adds the fee that only the record of the withdrawal has", () => {
  const entries = [
    entry(1, { type: "deposit", amount: "30", balance: "30.00000000" }),
    entry(2, { type: "withdraw", amount: "-28.5", otherFee: "-1.5", balance: "0" }),
  ];
  expect(table(entries, [snapshot(0, "0"), snapshot(3, "0")])).toEqual([["proven", "0", "0", "0", "0"]]);
});

it("does not add a fee that the amount contains", () => {
  const sale = { amount: "-10.1079350372", fee: "-0.0100978372", balance: "2.8920649628" };
  expect(table([entry(1, sale)], [snapshot(0, "13"), snapshot(2, "2.89206496")])).toEqual([
    ["rounded", "13", "-10.1079350372", "2.8920649628", "0"],
  ]);
});

it("says gap where the ledger was not collected, even if the sums are right", () => {
  const entries = [entry(1, { amount: "1", balance: "1" }), entry(5, { amount: "1", balance: "2" })];
  const snapshots = [0, 2, 4, 6].map((at) => snapshot(at, at < 1 ? "0" : at < 5 ? "1" : "2"));
  const holes = [{ from: start + 2.5 * minute, to: start + 3 * minute, cause: "40014" }];
  expect(table(entries, snapshots, { holes }).map(([verdict]) => verdict)).toEqual(["proven", "gap", "proven"]);
});

it("leaves a difference open while entries may be late, and calls it a break afterwards", () => {
  const snapshots = [snapshot(0, "1"), snapshot(5, "3")];
  expect(table([], snapshots, { openAfter: start })).toEqual([["open", "1", "0", "3", "2"]]);
  expect(table([], snapshots)).toEqual([["break", "1", "0", "3", "2"]]);
});

it("says open for entries after the last snapshot, and for a ledger without any", () => {
  const entries = [entry(1, { amount: "1", balance: "3" }), entry(2, { amount: "1", balance: "4" })];
  expect(table(entries, [snapshot(0, "2")])).toEqual([["open", "2", "2", "4", "0"]]);
  expect(table(entries, [])).toEqual([["open", "2", "2", "4", "0"]]);
});

it("does not judge by a snapshot near an entry or a funding that does not fit yet", () => {
  const entries = [entry(10, { type: "settle", amount: "-1", balance: "9" })];
  const snapshots = [snapshot(0, "10"), snapshot(9.95, "9"), snapshot(10.1, "10"), snapshot(20, "9")];
  expect(table(entries, snapshots)).toEqual([["proven", "10", "-1", "9", "0"]]);
  const early = [snapshot(0, "10"), snapshot(5, "8"), snapshot(20, "9")];
  expect(table(entries, early, { isUnsettled: (at) => at === start + 5 * minute })).toEqual([
    ["proven", "10", "-1", "9", "0"],
  ]);
});

it("judges by snapshots near a funding once two that follow each other do not fit", () => {
  const isUnsettled = () => true;
  const of = (...balances: string[]) =>
    judged(
      inputOf(
        {
          entries: [entry(10, { amount: "1", balance: "11" })],
          changes: [],
          snapshots: balances.map((balance, at) => snapshot(60 * at, balance)),
        },
        { isUnsettled },
      ),
    ).intervals.map(({ verdict, residual, cause }) => [verdict, residual, cause]);
  expect(of("10", "11", "5")).toEqual([
    ["proven", "0", null],
    ["open", "-6", reasons.funding],
  ]);
  expect(of("10", "11", "5", "5").slice(0, 2)).toEqual([
    ["proven", "0", null],
    ["break", "-6", reasons.balance],
  ]);
  // Each of them another one, as if no funding was listed.
  expect(of("10", "11", "5", "4", "3").map(([verdict]) => verdict)).toEqual(["proven", "break", "open"]);
  expect(of("10", "11", "5", "11").map(([verdict]) => verdict)).toEqual(["proven"]);
});

it("does not call what was not read proven, even if nothing seems to have changed", () => {
  const entries = [entry(1, { amount: "1", balance: "11" })];
  const snapshots = [snapshot(0, "10"), snapshot(60, "11"), snapshot(120, "11"), snapshot(180, "11")];
  const { intervals } = judged(inputOf({ entries, changes: [], snapshots }, { readUntil: start + 70 * minute }));
  expect(intervals).toMatchObject([
    { verdict: "proven", to: start + 60 * minute },
    { verdict: "open", to: start + 180 * minute, cause: reasons.unread },
  ]);
});

it("does not guess by which convention the first entry changed the balance", () => {
  const entries = [
    entry(1, { type: "buy", amount: "5", fee: "-0.5", balance: "15" }),
    entry(4, { amount: "1", balance: "16" }),
  ];
  const findings = new Findings();
  const input = inputOf({ entries, changes: [], snapshots: [snapshot(3, "15"), snapshot(6, "16")] });
  const of = ({ steps, intervals }: Reconciliation) => [
    steps.map(({ change }) => change),
    intervals.map(({ verdict, opening, entries }) => [verdict, opening, entries]),
  ];
  expect(of(reconcile(input, findings))).toEqual([[null, "1"], [["proven", "15", 1]]]);
  findings.add({ category: "funding", type: "buy" }, "amount");
  expect(of(reconcile(input, findings))).toEqual([["5", "1"], [["proven", "10", 2]]]);
});

it("does not settle where only the entry after a missing one shows the balance, because that entry has no change then", () => {
  const entries = [entry(1, { amount: "1", balance: "11" }), entry(9, { amount: "1", balance: "15" })];
  const snapshots = [snapshot(0, "10"), snapshot(3, "11"), snapshot(6, "14")];
  const { steps, settled } = judged(inputOf({ entries, changes: [], snapshots }));
  expect(steps.map(({ change }) => change)).toEqual(["1", null]);
  expect(settled).toMatchObject({ at: start + 3 * minute, balance: "11" });
});

it("reports two missing entries that cancel each other out, the first and the last of a stretch", () => {
  // Between them only -2 is listed; +100 and -100 are not.
  const entries = [entry(1, { amount: "1", balance: "11" }), entry(4, { amount: "-2", balance: "109" })];
  const snapshots = [snapshot(0, "10"), snapshot(2, "11"), snapshot(6, "9"), snapshot(12, "9")];
  const later = entry(9, { amount: "1", balance: "10" });
  for (const [all, last] of [
    [entries, "9"],
    [[...entries, later], "10"],
  ] as const) {
    const { intervals } = judged(
      inputOf({ entries: [...all], changes: [], snapshots: [...snapshots.slice(0, 3), snapshot(12, last)] }),
    );
    expect(intervals.filter(({ verdict }) => verdict === "break")).toMatchObject([
      { from: start + 2 * minute, to: start + 6 * minute, residual: "0", cause: reasons.order },
    ]);
  }
});

it("settles where a snapshot fits, also if every one is near a funding", () => {
  const entries = [entry(10, { amount: "-1", balance: "9" })];
  const snapshots = [snapshot(0, "10"), snapshot(60, "9"), snapshot(120, "9")];
  const { settled } = judged(inputOf({ entries, changes: [], snapshots }, { isUnsettled: () => true }));
  expect(settled).toMatchObject({ at: start + 120 * minute, balance: "9" });
});

it("reports entries whose amounts cancel each other out, and only then an order that does not close", () => {
  const entries = [
    entry(1, { amount: "1", balance: "2" }),
    entry(2, { amount: "1", balance: "4" }),
    entry(3, { amount: "1", balance: "4" }),
  ];
  const { intervals } = judged(inputOf({ entries, changes: [], snapshots: [snapshot(0, "1"), snapshot(9, "4")] }));
  expect(intervals).toMatchObject([{ verdict: "break", residual: "0", cause: reasons.order }]);
});

it("never calls a wallet without a ledger proven", () => {
  const { intervals } = judged({
    ...inputOf({ entries: [], changes: [], snapshots: [snapshot(0, "1"), snapshot(9, "1")] }),
    entries: null,
  });
  expect(intervals).toMatchObject([{ verdict: "unprovable", opening: "1", closing: "1", cause: reasons.noLedger }]);
});

it("explains each stretch to the last digit: opening, changes and residual give the closing", () => {
  const life = lifeOf(42, 600);
  life.entries.splice(300, 3);
  const { intervals } = judged(inputOf(life));
  for (const { opening, change, residual, closing } of intervals)
    expect(subtract(add(add(opening, change), residual), closing)).toBe("0");
  expect(intervals.some(({ verdict }) => verdict === "break")).toBe(true);
  expect(intervals.every(({ from, to }) => compare(String(to), String(from)) > 0)).toBe(true);
});

it("takes snapshots between changes as they are: one with another balance is a break on both sides", () => {
  const life = lifeOf(43, 5);
  const { intervals } = judged({
    ...inputOf(life),
    snapshots: snapshotsOf([...life.snapshots, { at: (life.snapshots.at(-1)?.at ?? 0) + minute, balance: "1" }]),
  });
  expect(intervals.at(-1)).toMatchObject({ verdict: "break" });
});
