/** Reads what the selected accounts made in parts of the time, of which those that are over are cached. */

import type { Steps } from "../../../core/async/cooperate.ts";
import { sum, sumOf } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { dayMs, minuteMs } from "../../../core/time.ts";
import { equity } from "../../../datasets/snapshots/equity.ts";
import { isCounted } from "../../../queries/flows.ts";
import { pricesSettledTo } from "../../../queries/prices.ts";
import type { Source } from "../../../queries/source.ts";
import { Valuations } from "../../../reports/ledger/valuations.ts";
import type { Mark, Span } from "../../../store/history.ts";
import { growthIn, type PartGrowth } from "./growth.ts";
import { type JointValuation, jointValuations } from "./joint-valuations.ts";

/** What the accounts made from the last common snapshot before a span to the last one in it. USDT. */
export interface Part extends Span, PartGrowth {
  opening: JointValuation;
  closing: JointValuation;
  /** Whether the opening was current at the beginning of the span. */
  isOnTime: boolean;
  paidIn: DecimalString;
  paidOut: DecimalString;
  joined: DecimalString;
  joinedWhole: DecimalString | null;
  /** Why flows are unknown; null if they are known. */
  cause: string | null;
}

/** The times of the snapshots with which a part ended, by account. */
type Times = ReadonlyMap<string, number>;

/** How far the exchange's clock, which dates snapshots, may be behind this machine's. Milliseconds. */
const maxClockLagMs = 10 * minuteMs;
const maxParts = 5000;

/** The parts that are over, by account, span, beginning and state of the ledger. */
class PartCache {
  /** The newest state that was read. */
  #newest: Mark | null = null;
  /** The first link after which nothing was pruned or corrected, as far as is known. */
  #since = 0;
  readonly #parts = new Map<string, Part | null>();

  /** Forgets all parts if something was pruned or corrected. Returns the state that is read. */
  renew({ history }: Source): Mark {
    const mark = history.mark();
    if (!this.#newest || !history.isUnchangedSince(this.#newest)) {
      this.#parts.clear();
      this.#since = mark.link;
      this.#newest = mark;
    }
    // Work that takes long reads an older state than the pages meanwhile.
    if (mark.link > this.#newest.link) this.#newest = mark;
    return mark;
  }

  get(name: string, mark: Mark): Part | null | undefined {
    return this.#has(mark) ? this.#parts.get(name) : undefined;
  }

  /** Keeps a part, unless it was read from a state before the last one in which something was pruned or corrected. */
  set(name: string, part: Part | null, mark: Mark): void {
    if (!this.#has(mark)) return;
    if (this.#parts.size > maxParts) this.#parts.clear();
    this.#parts.set(name, part);
  }

  #has({ file, link }: Mark): boolean {
    return file === this.#newest?.file && link >= this.#since;
  }
}

const cache = new PartCache();

/** Reads the parts of consecutive spans. */
export class Parts {
  readonly #source: Source;
  readonly #accounts: readonly { name: string; valuations: Valuations }[];
  /** Whether the flows of all accounts are collected; otherwise none counts, and the growth is that of the equity. */
  readonly #hasLedgers: boolean;
  readonly #key: string;
  readonly #settled: number;
  readonly #mark: Mark;

  constructor(source: Source, accounts: readonly string[]) {
    const { history, now } = source;
    this.#source = source;
    const ledgers = accounts.map((name) => history.ledgers(name));
    this.#accounts = accounts.map((name) => ({ name, valuations: new Valuations(source, name) }));
    this.#hasLedgers = ledgers.every((own) => own.some(isCounted));
    const series = history.series(source.account).filter((one) => one.dataset === equity.name);
    const own = series.filter(({ account }) => accounts.includes(account)).map(({ id }) => id);
    const settled = Math.min(now, this.through, history.firstOpenSlot(own)) - maxClockLagMs;
    this.#settled = pricesSettledTo(history, settled);
    const states = ledgers.flat().map(({ account, wallet, from, to, holes }) => [account, wallet, from, to, holes]);
    this.#key = JSON.stringify([history.path, accounts, states]);
    this.#mark = cache.renew(source);
  }

  /** Up to when the flows of all accounts are known: at most the present time. Epoch ms. */
  get through(): number {
    return Math.min(this.#source.now, ...this.#accounts.map(({ valuations }) => valuations.through));
  }

  /** Returns the parts of consecutive spans, without those in which nothing is known. */
  *of(spans: readonly Span[]): Steps<Part[]> {
    const found: Part[] = [];
    let times: Times | null = null;
    for (const span of spans) {
      const part: Part | null = yield* this.#part(span, times);
      if (part) found.push(part);
      times = part?.closing.times ?? null;
    }
    return found;
  }

  *#part(span: Span, times: Times | null): Steps<Part | null> {
    const name = `${this.#key} ${span.from} ${span.to} ${JSON.stringify([...(times ?? [])])}`;
    const isOver = span.to <= this.#settled;
    const cached = isOver ? cache.get(name, this.#mark) : undefined;
    if (cached !== undefined) return cached;
    const part = yield* this.#read(span, times);
    if (isOver) cache.set(name, part, this.#mark);
    return part;
  }

  *#read(span: Span, times: Times | null): Steps<Part | null> {
    const accounts = [];
    for (const { name, valuations: reader } of this.#accounts) {
      const since = times?.get(name);
      const valuations = yield* reader.in({ from: since === undefined ? span.from : since + 1, to: span.to });
      const [first] = valuations;
      // An account that was not in the part before begins in this one.
      const isOld = first !== undefined && (times ? times.has(name) : first.at < span.from);
      const isOnTime = !first || !isOld || reader.isCurrent(first, span.from - 1, span.from - dayMs);
      accounts.push({ account: name, valuations, isOld, isOnTime });
    }
    const joint = jointValuations(accounts, this.#hasLedgers);
    const [opening, closing] = [joint[0], joint.at(-1)];
    if (!opening || !closing) return null;
    const since = joint.slice(1);
    return {
      ...span,
      opening,
      closing,
      isOnTime: opening.at < span.from && accounts.every((one) => one.isOnTime),
      paidIn: sum(since.map(({ paidIn }) => paidIn)),
      paidOut: sum(since.map(({ paidOut }) => paidOut)),
      joined: sum(since.map(({ joined }) => joined)),
      joinedWhole: sumOf(since.map(({ joinedWhole }) => joinedWhole)),
      cause: since.find((one) => one.cause !== null)?.cause ?? null,
      ...growthIn(joint),
    };
  }
}
