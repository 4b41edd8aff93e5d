/** The money that came into accounts and left them, read from the exchange's ledger once and kept. */
import { pause, type Steps } from "../../../core/async/cooperate.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { dayMs } from "../../../core/time.ts";
import { equity } from "../../../datasets/snapshots/equity.ts";
import { type Flow, type Flows, flowsOf, isCounted, settledLedgers } from "../../../queries/flows.ts";
import { pricesSettledTo } from "../../../queries/prices.ts";
import type { Transit } from "../../../returns/transits.ts";
import type { HistoryReader, Mark, Span, WalletLedger } from "../../../store/history.ts";

/** What was paid in and out, as far as it is known. */
export interface Paid {
  /** Oldest first; without those of coins that the exchange has no price of. Unit of `usdt`: USDT. */
  flows: readonly PaidAmount[];
  /** What was under way between wallets of an account while its equity was read. */
  transits: readonly PaidTransit[];
  /** When other money may have been paid. Both ends are included. */
  unknown: readonly Span[];
  /** Before when the ledgers were read, epoch ms; infinity where there is none. */
  through: number;
  /** Whether an account has no ledger. */
  isNothingKnown: boolean;
}

export interface PaidAmount {
  account: string;
  at: number;
  usdt: DecimalString;
  /** Whether it is the equity of an account that began, and so takes no part in the result before. */
  isJoining?: true;
}

/** What was paid into and out of accounts. */
export interface AccountsPaid extends Paid {
  unknown: readonly (Span & { account: string })[];
}

export interface PaidTransit extends Transit {
  account: string;
}

interface Known {
  mark: Mark;
  /** Which parts of the ledgers were not collected. */
  holes: string;
  /** The entries before this time were read. Epoch ms. */
  to: number;
  flows: Flow[];
  transits: Transit[];
}

/** The entries read in one step, as a part of their time. */
const stepMs = 30 * dayMs;

/** Keeps the flows of accounts. */
export class PaidCache {
  readonly #known = new Map<string, Known>();

  /** Returns what was paid into and out of accounts up to the present time. */
  *of(history: HistoryReader, accounts: readonly string[], now: number): Steps<AccountsPaid> {
    const flows: Flow[] = [];
    const transits: PaidTransit[] = [];
    const ledgers: WalletLedger[] = [];
    for (const account of accounts) {
      const own = settledLedgers({ history, now }, account).filter(isCounted);
      if (own.length === 0) return nothing;
      ledgers.push(...own);
      const found = yield* this.#read(history, account, own, now);
      flows.push(...found.flows);
      transits.push(...found.transits.map((one) => ({ ...one, account })));
    }
    flows.sort((one, other) => one.at - other.at);
    const removed = history.accountsRemovedAt(now);
    const current = ledgers.filter(({ account, to }) => to > now && !removed.includes(account));
    const through = Math.min(now, ...current.map((ledger) => ledger.through));
    const unpriced = flows.filter(({ usdt, isPriced }) => usdt === null && isPriced);
    const unpricedAt = unpriced.map(({ account, at }) => ({ account, from: at, to: at }));
    return {
      flows: flows.flatMap(({ account, at, usdt }) => (usdt === null ? [] : [{ account, at, usdt }])),
      transits,
      unknown: [...ledgers.flatMap(unknownIn), ...unpricedAt],
      through,
      isNothingKnown: false,
    };
  }

  /** Returns what is recorded of an account up to the present time, also of unknown value, oldest first; null if it has no ledger. */
  *recorded(history: HistoryReader, account: string, now: number): Steps<Flow[] | null> {
    const ledgers = settledLedgers({ history, now }, account).filter(isCounted);
    if (ledgers.length === 0) return null;
    return (yield* this.#read(history, account, ledgers, now)).flows.filter(({ at }) => at <= now);
  }

  *#read(
    history: HistoryReader,
    account: string,
    ledgers: readonly WalletLedger[],
    now: number,
  ): Steps<Pick<Flows, "flows" | "transits">> {
    const holes = JSON.stringify(ledgers.map(({ wallet, from, to, holes }) => [wallet, from, to, holes]));
    const found = this.#known.get(account);
    const isValid = found?.holes === holes && history.isUnchangedSince(found.mark);
    const known: Known = isValid
      ? found
      : { mark: history.mark(), holes, to: startOf(history, account), flows: [], transits: [] };
    known.mark = history.mark();
    this.#known.set(account, known);
    const through = Math.min(now, ...ledgers.filter(({ to }) => to > now).map((ledger) => ledger.through));
    const final = pricesSettledTo(history, through - settledMs);
    while (known.to < final) {
      const from = known.to;
      const to = Math.min(final, from + stepMs);
      const { flows, transits } = yield* flowsOf({ history, account, now }, account, { from, to });
      // One that ends later is found again with the entries after it.
      const ended = transits.filter((one) => one.to < to);
      const seen = yield* atSnapshots(history, account, ended);
      // A concurrent request may have read the same.
      if (known.to === from) {
        known.flows.push(...flows);
        known.transits.push(...seen);
        known.to = to;
      }
      yield pause;
    }
    const before = { flows: [...known.flows], transits: [...known.transits], to: known.to };
    const last = yield* flowsOf({ history, account, now }, account, { from: before.to, to: now + 1 });
    const seen = yield* atSnapshots(history, account, last.transits);
    return { flows: [...before.flows, ...last.flows], transits: [...before.transits, ...seen] };
  }
}

/** Returns the transfers that were under way while the equity was read: few. */
function* atSnapshots(history: HistoryReader, account: string, transits: readonly Transit[]): Steps<Transit[]> {
  const items = [...history.items(equity, account, null, {})];
  const seen: Transit[] = [];
  for (const one of transits) {
    if (items.some((item) => [...history.points(equity, item, one, ["complete"], () => null)].length > 0))
      seen.push(one);
    yield pause;
  }
  return seen;
}

const nothing: AccountsPaid = {
  flows: [],
  transits: [],
  unknown: [],
  through: Number.POSITIVE_INFINITY,
  isNothingKnown: true,
};

/** The other entry of a transfer, which makes it none, may be so much later. Milliseconds. */
const settledMs = 600_000;

/** Returns when the first series of an account began, epoch ms: nothing is compared with what was before. */
const startOf = (history: HistoryReader, account: string): number =>
  Math.min(...history.series(account).map(({ firstAt }) => firstAt));

/** Returns where the entries of a ledger may be incomplete: where it was not collected, and where the account was changed. */
function unknownIn({ account, holes, from, to }: WalletLedger): (Span & { account: string })[] {
  const changes = [from, to].filter((at) => at > 0 && at < Number.MAX_SAFE_INTEGER);
  const within = holes.map((hole) => ({ from: Math.max(hole.from, from), to: Math.min(hole.to, to) - 1 }));
  const all = [...within.filter((hole) => hole.from <= hole.to), ...changes.map((at) => ({ from: at, to: at }))];
  return all.map((span) => ({ account, ...span }));
}

/** Returns the spans without overlaps, oldest first; both ends are included. */
export function merged(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const { from, to } of [...spans].sort((one, other) => one.from - other.from)) {
    const last = all.at(-1);
    if (last && from <= last.to + 1) last.to = Math.max(last.to, to);
    else all.push({ from, to });
  }
  return all;
}
