/** Brings what happens in accounts to the times of the points of their common curve. */
import { pause, type Steps } from "../../../core/async/cooperate.ts";
import { freshUntil } from "../../../core/cron.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { minuteMs } from "../../../core/time.ts";
import { scheduleAt } from "../../../queries/source.ts";
import type { HistoryReader, ItemCells, ItemPoint, ItemRef, Span } from "../../../store/history.ts";
import type { View } from "../../data/table.ts";
import type { CommonSlots } from "../common-slots.ts";
import { type LineSource, slotsOf } from "../lines.ts";
import { equitySource } from "../sources.ts";
import { type AccountsPaid, merged, type Paid, type PaidAmount } from "./paid.ts";

type Snapshot = ItemPoint<DecimalString | null>;

/** The first known equity of an account, and the time of its point. */
type Beginning = PaidAmount & { snapshot: Snapshot };

/** How long after its slot a snapshot may be taken. Milliseconds. */
const longestMs = 10 * minuteMs;

/** Reads the snapshots of accounts that are points of one line of their equity. */
export class Alignment {
  readonly source: LineSource;
  readonly #history: HistoryReader;
  readonly #items: readonly { account: string; item: ItemRef }[];
  readonly #line: number;
  readonly #slots: CommonSlots;
  readonly #begun: readonly Beginning[];

  constructor(view: View, accounts: readonly string[], line: string) {
    this.source = equitySource(view, accounts);
    this.#history = view.history;
    this.#items = accounts.flatMap((account) =>
      view.history.items(this.source.dataset, account, null, {}).map((item) => ({ account, item })),
    );
    this.#line = this.source.lines.findIndex(({ name }) => name === line);
    this.#slots = slotsOf(view.history, this.source);
    this.#begun = this.#beginnings();
  }

  /** Returns whether the equity of an account was not recorded for more than two periods of its schedule between two points. Epoch ms. */
  isGap(from: number, to: number): boolean {
    return this.#items.some(({ item }, index) => {
      let last: Snapshot | null = null;
      for (const snapshot of this.#snapshots(item, { from, to: to + longestMs })) {
        const time = this.#timeOf(index, snapshot);
        if (time > to) return false;
        if (time < from) continue;
        if (snapshot.value === null || (last && this.#isStale(item, last, snapshot.slot))) return true;
        last = snapshot;
      }
      return false;
    });
  }

  /** Returns what was paid in a span, with the equity of accounts that began, at the first points that contain it. */
  *paidIn(paid: AccountsPaid, span: Span): Steps<Paid> {
    const payments = paid.flows.map((flow) => ({ ...flow, from: flow.at, to: flow.at }));
    const flows = (yield* this.#aligned(payments, span)).map(({ from, ...flow }) => ({ ...flow, at: from }));
    const joining = this.#begun.map(({ snapshot, ...one }) => ({ ...one, isJoining: true as const }));
    const ends = this.#items.map(({ account }) => this.#pointOf(account, paid.through));
    return {
      ...paid,
      flows: [...flows, ...joining].sort((one, other) => one.at - other.at),
      transits: yield* this.#aligned(paid.transits, span),
      unknown: merged(yield* this.#aligned(paid.unknown, span)),
      through: Math.min(paid.through, ...ends),
    };
  }

  /** Returns what happened in a span to accounts that had begun, from and to the first points that contain it. */
  *#aligned<Event extends Span & { account: string }>(events: readonly Event[], span: Span): Steps<Event[]> {
    const found: Event[] = [];
    for (const event of events) {
      const { account, to } = event;
      const begun = this.#begun.find((one) => one.account === account)?.snapshot.at ?? 0;
      const from = Math.max(event.from, begun + 1);
      if (from > to || to <= span.from || from >= span.to) continue;
      found.push({ ...event, from: this.#pointOf(account, from), to: this.#pointOf(account, to) });
      yield pause;
    }
    return found;
  }

  /** Returns with what each account began, and when; of a single account there is nothing before. */
  #beginnings(): Beginning[] {
    if (this.#items.length < 2) return [];
    return this.#items.flatMap(({ account, item }, index) => {
      for (const snapshot of this.#snapshots(item, { from: 0, to: Number.MAX_SAFE_INTEGER }))
        if (snapshot.value !== null)
          return [{ account, at: this.#timeOf(index, snapshot), usdt: snapshot.value, snapshot }];
      return [];
    });
  }

  /** Returns the time of the point of the first snapshot of an account that contains an instant, if it is before the instant. */
  #pointOf(account: string, instant: number): number {
    const index = this.#items.findIndex((one) => one.account === account);
    const item = this.#items[index]?.item;
    if (!item || this.#items.length < 2) return instant;
    const [first] = this.#snapshots(item, { from: instant, to: instant + longestMs });
    return first ? Math.min(instant, this.#timeOf(index, first)) : instant;
  }

  /** Points of several accounts have the time of their common slot. */
  #timeOf(index: number, { at, slot }: Snapshot): number {
    return this.#items.length > 1 ? this.#slots.of(index, slot) : at;
  }

  #isStale({ seriesId }: ItemRef, { at, slot }: Snapshot, next: number): boolean {
    const inForce = scheduleAt(this.#history.schedules(seriesId), at);
    return !inForce || freshUntil(inForce.pattern, slot) < next;
  }

  #snapshots(item: ItemRef, span: Span): Generator<Snapshot, void> {
    const { dataset, columns, valuesOf } = this.source;
    const valueIn = (cells: ItemCells) => valuesOf(cells)[this.#line] ?? null;
    return this.#history.points(dataset, item, span, columns, valueIn);
  }
}
