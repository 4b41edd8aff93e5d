/** Reads the equity of an account at each of its snapshots, and the money that came in and left in between. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { freshUntil } from "../../core/cron.ts";
import { add, isPositive, sum, sumOf } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { equity as dataset } from "../../datasets/snapshots/equity.ts";
import { equityOf, ledgerPartOf } from "../../queries/equity.ts";
import { type Flow, flowsOf, ledgersCause, settledLedgers } from "../../queries/flows.ts";
import { type Source, scheduleAt, schedulesOf } from "../../queries/source.ts";
import type { DetailedValuation } from "../../returns/returns.ts";
import { Transits } from "../../returns/transits.ts";
import type { ItemCells, ItemPoint, SchedulePeriod, Span, WalletLedger } from "../../store/history.ts";

/** The equity of the wallets with a ledger and of what is under way between them, at a snapshot or at a flow. */
export interface AccountValuation extends DetailedValuation {
  /** The slot of the snapshot; null at a flow, where the equity is computed. */
  slot: number | null;
  /** The equity of all wallets and of what is under way; null if it is unknown, and at a flow. */
  whole: DecimalString | null;
  /** The equity as it was recorded, without what was under way; null if it is unknown, and at a flow. */
  recorded: DecimalString | null;
  /** Whether the equity was not recorded in between for more than two periods of its schedule. */
  isAfterGap: boolean;
  /** Why `flow` is unknown; null if it is known. */
  cause: string | null;
  /** The coins that came in or left without a price at the exchange: its equity does not contain them, and `flow` neither. */
  unpriced: readonly string[];
}

/** What an equity snapshot says. */
interface Snapshot {
  equity: DecimalString | null;
  whole: DecimalString | null;
  recorded: DecimalString | null;
  /** Whether the account was unified; null where none of its wallets is known. */
  isUnified: boolean | null;
}

type Point = ItemPoint<Snapshot>;

/** Reads the valuations of one account. */
export class Valuations {
  readonly #source: Source;
  readonly #account: string;
  readonly #ledgers: readonly WalletLedger[];
  readonly #schedules: readonly SchedulePeriod[];

  constructor(source: Source, account: string) {
    const { history } = source;
    this.#source = source;
    this.#account = account;
    this.#ledgers = settledLedgers(source, account);
    this.#schedules = schedulesOf(history, account, dataset.name);
  }

  /** Up to when the flows are known: at most the present time. Epoch ms. */
  get through(): number {
    const { now } = this.#source;
    return Math.min(now, ...this.#ledgers.filter(({ to }) => to > now).map(({ through }) => through));
  }

  /**
   * Returns the valuations from the last snapshot before the span on, oldest first. Money that came in counts from its own time on, with
   * the equity of the snapshot before it; money that left counts at the snapshot after it. So a flow is no part of a result, however
   * little was there before it or is left.
   */
  *in(span: Span): Steps<AccountValuation[]> {
    const { history } = this.#source;
    const [scope] = history.asOf(dataset, { account: this.#account }, span.from - 1).scopes;
    const points = yield* this.#points({ from: scope?.takenAt ?? span.from, to: span.to });
    const [first, last] = [points[0], points.at(-1)];
    if (!first || !last) return [];
    const between = { from: first.at + 1, to: last.at + 1 };
    const { flows, transits: all } = yield* flowsOf(this.#source, this.#account, between);
    const transits = new Transits(all);
    let [before, next] = [withTransits(first, transits), 0];
    const valuations = [valuationAt(before, [])];
    for (const read of points.slice(1)) {
      const point = withTransits(withKind(read, before.value), transits);
      const since = next;
      while ((flows[next]?.at ?? Number.POSITIVE_INFINITY) <= point.at) next += 1;
      valuations.push(...this.#between(before, point, flows.slice(since, next)));
      before = point;
      yield pause;
    }
    return valuations;
  }

  /** Returns true if the equity of a snapshot is known and current at an instant of a period that began at `since`. Epoch ms. */
  isCurrent({ at, slot, equity }: AccountValuation, instant: number, since: number): boolean {
    if (equity === null || slot === null) return false;
    const until = this.#freshUntil({ at, slot });
    return until === null ? at >= since : until >= instant;
  }

  *#points(span: Span): Steps<Point[]> {
    const { history } = this.#source;
    const points: Point[] = [];
    for (const item of history.items(dataset, this.#account, null, {}))
      for (const point of history.points(dataset, item, span, columns, snapshotOf)) {
        points.push(point);
        yield pause;
      }
    return points;
  }

  /** Returns the valuations after a snapshot, up to the next one. */
  #between(before: Point, point: Point, all: readonly Flow[]): AccountValuation[] {
    const flows = all.filter(({ isPriced }) => isPriced);
    const unpriced = all.filter((flow) => !flow.isPriced).map(({ coin }) => coin);
    const cause =
      ledgersCause(this.#ledgers, { from: before.at + 1, to: point.at + 1 }) ??
      (isUpgraded(before.value, point.value) ? "the wallets before the upgrade" : unknownOf(flows));
    const isAfterGap = this.#isGap(before, point);
    if (cause !== null) return [{ ...valuationAt(point, []), unpriced, isAfterGap, flow: null, cause }];
    if (isAfterGap) return [{ ...valuationAt(point, flows), unpriced, isAfterGap, isGap: flows.length > 0 }];
    const cameIn = flows.filter(({ usdt }) => isPositive(usdt ?? "0"));
    const left = flows.filter((flow) => !cameIn.includes(flow));
    return [...increased(before.value.equity ?? "0", cameIn), { ...valuationAt(point, left), unpriced }];
  }

  #isGap(before: Point, { slot }: Point): boolean {
    const until = this.#freshUntil(before);
    return before.value.equity === null || until === null || until < slot;
  }

  /** Returns until when data of a snapshot counts as current, epoch ms; null without a schedule. */
  #freshUntil({ at, slot }: { at: number; slot: number }): number | null {
    const inForce = scheduleAt(this.#schedules, at);
    return inForce ? freshUntil(inForce.pattern, slot) : null;
  }
}

const columns = ["usdt_equity", "complete", "spot_usdt", "futures_usdt", "unified_usdt"];

const noSnapshot: Snapshot = { equity: null, whole: null, recorded: null, isUnified: null };

function snapshotOf(cells: ItemCells): Snapshot {
  if (!cells) return noSnapshot;
  const [usdt_equity = null, complete = null, spot_usdt = null, futures_usdt = null, unified_usdt = null] = cells;
  const row = { usdt_equity, complete, spot_usdt, futures_usdt, unified_usdt };
  const recorded = ledgerPartOf(row);
  const isClassic = typeof spot_usdt === "string" || typeof futures_usdt === "string";
  const isUnified = typeof unified_usdt === "string" ? true : isClassic ? false : null;
  return { equity: recorded, whole: equityOf({ rows: [row] }), recorded, isUnified };
}

/** Returns a snapshot of which no wallet is known as one of the kind of account that was before. */
const withKind = (point: Point, { isUnified }: Snapshot): Point =>
  point.value.isUnified === null ? { ...point, value: { ...point.value, isUnified } } : point;

/** Returns a snapshot with what was under way between wallets, which belongs to the account. */
function withTransits(point: Point, transits: Transits): Point {
  const inTransit = transits.usdtAt(point.at);
  // Of nearly all snapshots: a year has half a million.
  if (inTransit === "0") return point;
  const [equity, whole] = [point.value.equity, point.value.whole].map((one) => sumOf([one, inTransit]));
  return { ...point, value: { ...point.value, equity: equity ?? null, whole: whole ?? null } };
}

const isUpgraded = (before: Snapshot, { isUnified }: Snapshot): boolean =>
  before.isUnified !== null && isUnified !== null && before.isUnified !== isUnified;

/** Returns what is unknown of the flows; null if each has a value. */
function unknownOf(flows: readonly Flow[]): string | null {
  const unknown = flows.find(({ usdt }) => usdt === null);
  return unknown ? `${unknown.amount === null ? "an amount" : "the price"} of ${unknown.coin}` : null;
}

/** Returns a valuation after known flows. */
function valued(
  { at, slot, equity, whole, recorded }: Pick<AccountValuation, "at" | "slot" | "equity" | "whole" | "recorded">,
  flows: readonly Flow[],
) {
  const amounts = flows.map(({ at, usdt }) => ({ at, amount: usdt ?? "0" }));
  const flow = sum(amounts.map(({ amount }) => amount));
  const known = { isGap: false, isAfterGap: false, cause: null, unpriced: [] };
  return { at, slot, equity, whole, recorded, flow, flows: amounts, ...known };
}

const valuationAt = (
  { at, slot, value: { equity, whole, recorded } }: Point,
  flows: readonly Flow[],
): AccountValuation => valued({ at, slot, equity, whole, recorded }, flows);

/** Returns the equity after each flow of money that came in. */
function increased(equity: DecimalString, cameIn: readonly Flow[]): AccountValuation[] {
  let held = equity;
  return cameIn.map((flow) => {
    held = add(held, flow.usdt ?? "0");
    return valued({ at: flow.at, slot: null, equity: held, whole: null, recorded: null }, [flow]);
  });
}
