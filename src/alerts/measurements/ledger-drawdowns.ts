/** Measures the drawdown of accounts without what was paid in and out, as far as the exchange's ledger was read. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { dayMs, hourMs } from "../../core/time.ts";
import { lateRecordMs } from "../../datasets/incremental.ts";
import { isCounted } from "../../queries/flows.ts";
import { Valuations } from "../../reports/ledger/valuations.ts";
import type { HistoryReader, Mark, WalletLedger } from "../../store/history.ts";
import { GrowthWindow, type Height } from "./growth-window.ts";

/** A ledger that could not be read, or was not collected, for so long is one that no snapshot waits for. Milliseconds. */
const maxLagMs = dayMs;

/** Up to when it is known what was paid (epoch ms), and whether that is because the next run is still to come. */
interface Read {
  through: number;
  isExpected: boolean;
}

/** What was read of an account: up to where its ledger was read, and which parts of it were not collected. */
interface Followed {
  window: GrowthWindow;
  holes: string;
  mark: Mark;
}

/** The height at a snapshot. */
export interface SnapshotHeight extends Height {
  /** Whether the account has more than its wallets with a ledger. */
  isPart: boolean;
}

/** Reads the heights of the equity of accounts; those before which no entry can appear any more are kept, so that they are read once. */
export class LedgerDrawdowns {
  readonly #history: HistoryReader;
  readonly #windowMs: number;
  readonly #ledgers = new Map<string | null, WalletLedger[]>();
  readonly #read = new Map<string, Read>();
  readonly #followed = new Map<string, Followed>();

  constructor(history: HistoryReader, hours: number) {
    // Looking for holes reads all that was ever read of a ledger: it is done once after each run.
    const ledgers = (account: string | null) => {
      const known = this.#ledgers.get(account) ?? history.ledgers(account);
      this.#ledgers.set(account, known);
      return known;
    };
    this.#history = { ...history, ledgers };
    this.#windowMs = hours * hourMs;
  }

  /** Reads how far the ledger of an account was read, which has just changed. */
  refresh(account: string): void {
    this.#ledgers.delete(account);
    this.#read.delete(account);
  }

  /** Returns up to when it is known what was paid, at most `now`; null without a ledger that is collected. Epoch ms. */
  through(account: string, now: number): number | null {
    const known = this.#read.get(account) ?? this.#readThrough(account, now);
    this.#read.set(account, known);
    return known.isExpected || known.through >= now - maxLagMs ? known.through : null;
  }

  #readThrough(account: string, now: number): Read {
    const ledgers = this.#history.ledgers(account).filter((one) => isCounted(one) && one.to > now);
    if (ledgers.length === 0) return { through: 0, isExpected: false };
    // What could not be read until now may soon be.
    const open = ledgers.flatMap(({ holes }) => holes.filter(({ to }) => to > now).map(({ from }) => from));
    const { through } = new Valuations({ history: this.#history, account, now }, account);
    return { through: Math.min(through, ...open), isExpected: open.length === 0 };
  }

  /**
   * Returns the heights of an account at its snapshots of the equity from `from` to `to`, by the time of the snapshot. Those after
   * the end of the ledger are computed as if nothing was paid since.
   */
  *heights(
    account: string,
    { from, to, now }: { from: number; to: number; now: number },
  ): Steps<Map<number, SnapshotHeight>> {
    const release = this.#history.hold();
    try {
      const valuations = new Valuations({ history: this.#history, account, now }, account);
      const { window } = this.#followedFrom(account, from, now);
      const heights = new Map<number, SnapshotHeight>();
      const settled = Math.min((this.through(account, now) ?? 0) - lateRecordMs, to);
      yield* follow(window, valuations, { from: from - this.#windowMs, to: settled }, heights);
      if (settled < to) yield* follow(window.copy(), valuations, { from: from - this.#windowMs, to }, heights);
      return heights;
    } finally {
      release();
    }
  }

  /** Returns what is known of an account; nothing if it is not before a time, or if what was read has changed since. */
  #followedFrom(account: string, from: number, now: number): Followed {
    // A hole that is still open begins after what was read.
    const closed = ({ wallet, from, to, holes }: WalletLedger) => [
      wallet,
      from,
      to,
      holes.filter((one) => one.to <= now),
    ];
    const holes = JSON.stringify(this.#history.ledgers(account).map(closed));
    const known = this.#followed.get(account);
    const isValid =
      known?.holes === holes && (known.window.at ?? 0) < from && this.#history.isUnchangedSince(known.mark);
    const followed = {
      window: isValid ? known.window : new GrowthWindow(this.#windowMs),
      holes,
      mark: this.#history.mark(),
    };
    this.#followed.set(account, followed);
    return followed;
  }
}

/** Adds the valuations after the end of a window, or from `from` on, up to `to` (included). */
function* follow(
  window: GrowthWindow,
  valuations: Valuations,
  { from, to }: { from: number; to: number },
  heights: Map<number, SnapshotHeight>,
): Steps<void> {
  const end = window.at;
  for (const valuation of yield* valuations.in({ from: end === null ? from : end + 1, to: to + 1 })) {
    if (valuation.at <= (end ?? 0)) continue;
    const height = window.add(valuation);
    if (height && valuation.slot !== null)
      heights.set(valuation.at, { ...height, isPart: valuation.whole !== valuation.equity });
    yield pause;
  }
}
