/**
 * Reconciles the exchange's ledger with the snapshots of a history, wallet by wallet and coin by coin, and stores the result. A pass
 * continues where the ledger is settled; an entry that appears before that point makes it begin again for that coin, and other rules than
 * those of the last pass make it begin again for the account.
 */
import { dayMs, minuteMs } from "../../core/time.ts";
import { Findings } from "../../reconciliation/chain.ts";
import { isNearFunding } from "../../reconciliation/funding.ts";
import type { Reconciliation } from "../../reconciliation/reconcile.ts";
import type { Snapshots } from "../../reconciliation/snapshots.ts";
import { merged, verdictIn } from "../../reconciliation/verdict.ts";
import { PositionResults } from "../positions/results.ts";
import { type Collected, collectedOf } from "../read/ledger/collected.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { Write } from "../sqlite/write-queue.ts";
import { stepRows, uncoveredBalances } from "./derived-rows.ts";
import { EntryReader, type StoredEntry } from "./entries.ts";
import { judgeChain, leavesOutFrozen } from "./judge.ts";
import { type ChainKey, type ChainState, LedgerRows } from "./ledger-rows.ts";
import { holesOf, type Wallet, WalletReader } from "./wallets.ts";

/** How long entries may be late. Milliseconds. */
const lateMs = 15 * minuteMs;

/** What is not collected for so long counts as settled all the same; an entry that appears later makes the coin begin again. */
const settleLatestMs = dayMs;

/** How much later than the bills the balances of the same slot may be read. Milliseconds. */
export const slotMs = minuteMs;

/** How many coins share a transaction where a pass continues. */
const coinsAtOnce = 16;

/** Restricts a pass. */
export interface ReconcileOptions {
  /** Epoch ms. */
  now: number;
  account?: string | undefined;
  wallet?: string | undefined;
  coin?: string | undefined;
  /** Begins again instead of continuing. */
  isFull?: boolean;
}

/** The number of chains that a pass judged, and of the entries it read for them. */
export interface Reconciled {
  chains: number;
  entries: number;
}

/** The wallet and coin of each chain that was judged, and the number of entries read for them. */
interface Judgements {
  judged: (readonly [string, string])[];
  entries: number;
}

/** Reconciles the history in one file. */
export class Reconciler {
  readonly #sqlite: Sqlite;
  readonly #write: Write;
  readonly #rows: LedgerRows;
  readonly #wallets: WalletReader;
  readonly #entries: EntryReader;
  readonly #positions: PositionResults;
  /** The pass in progress, and those that wait for it. */
  #passes: Promise<unknown> = Promise.resolve();

  constructor(sqlite: Sqlite, write: Write) {
    this.#sqlite = sqlite;
    this.#write = write;
    this.#rows = new LedgerRows(sqlite);
    this.#wallets = new WalletReader(sqlite);
    this.#entries = new EntryReader(sqlite);
    this.#positions = new PositionResults(sqlite);
  }

  /**
   * Reconciles what the options select, a few coins in each transaction, and an account of which something was not reconciled by the
   * present rules as a whole. @throws StorageError if the result cannot be stored
   */
  reconcile(options: ReconcileOptions): Promise<Reconciled> {
    // One after the other: what the first coins of a pass show is there for the others.
    const pass = this.#passes.then(() => this.#pass(options));
    this.#passes = pass.catch(() => {});
    return pass;
  }

  async #pass(options: ReconcileOptions): Promise<Reconciled> {
    const done: Reconciled = { chains: 0, entries: 0 };
    for (const { id, name } of this.#rows.accounts()) {
      if (options.account !== undefined && options.account !== name) continue;
      const { chains, entries } = await this.#reconcileAccount(id, options);
      done.chains += chains;
      done.entries += entries;
    }
    return done;
  }

  async #reconcileAccount(accountId: number, selected: ReconcileOptions): Promise<Reconciled> {
    const { now } = selected;
    const all = { now, isFull: true };
    const isSelected = selected.wallet !== undefined || selected.coin !== undefined;
    const beginsAgain = (selected.isFull === true && !isSelected) || !this.#rows.isCurrent(accountId);
    if (beginsAgain) await this.#write(() => this.#rows.beginAgain(accountId));
    const known = this.#conventions(accountId);
    const done = await this.#reconcileWallets(accountId, beginsAgain ? all : selected);
    // What no balance confirms follows the convention of its type. Where one was found, nothing may depend on when it was.
    const isFound = this.#conventions(accountId) !== known;
    const again = isFound ? await this.#reconcileWallets(accountId, all) : done;
    const isFull = isFound || beginsAgain;
    await this.#write(() => {
      if (beginsAgain) this.#rows.removeOthers(accountId, again.judged);
      const through = this.#positions.update(accountId, isFull);
      if (through !== null || beginsAgain) this.#rows.putAccount(accountId, through ?? 0, { now, continues: !isFull });
    });
    return { chains: again.judged.length, entries: again.entries };
  }

  #conventions(accountId: number): string {
    const found = this.#rows.findings(accountId);
    return JSON.stringify(found.map(({ category, type, convention }) => [category, type, convention]));
  }

  async #reconcileWallets(accountId: number, options: ReconcileOptions): Promise<Judgements> {
    const done: Judgements = { judged: [], entries: 0 };
    for (const wallet of this.#wallets.wallets(accountId)) {
      if (options.wallet !== undefined && options.wallet !== wallet.name) continue;
      await this.#reconcileWallet(wallet, options, done);
    }
    return done;
  }

  async #reconcileWallet(wallet: Wallet, options: ReconcileOptions, done: Judgements): Promise<void> {
    const known = this.#rows.chains(wallet.accountId, wallet.name);
    // Entries that a run stores after this are new to the next pass, also where they share the transactions of this one.
    const seen = this.#rows.lastSnapshot(wallet.billScopes);
    const bills = collectedOf(this.#sqlite, wallet.billScopes);
    const collected = { ...bills, holes: holesOf(wallet, bills.holes) };
    const recent = this.#recentEntries(wallet, [...known.values()]);
    const outdated = this.#outdatedCoins(wallet, known, collected);
    // A coin that is not known yet is listed by a snapshot, or has a recent entry; all entries are searched only once.
    const isFirst = options.isFull === true || known.size === 0;
    const coins = new Set([...known.keys(), ...recent.keys(), ...this.#wallets.coins(wallet, isFirst)]);
    const selected = [...coins].filter((coin) => options.coin === undefined || options.coin.toUpperCase() === coin);
    // A coin that begins may have a long ledger, and gets a transaction of its own; little is to be done for the others.
    const size = isFirst ? 1 : coinsAtOnce;
    for (let at = 0; at < selected.length; at += size) {
      const group = selected.slice(at, at + size);
      await Promise.all(
        group.map((coin) =>
          // Reads and writes in one transaction, so that no run comes in between.
          this.#write(() => {
            const state = options.isFull || outdated.has(coin) ? undefined : known.get(coin);
            done.judged.push([wallet.name, coin]);
            done.entries += this.#reconcileChain(
              { wallet, coin },
              { state, isKnown: known.has(coin), recent: recent.get(coin) ?? [], collected, seen },
              options.now,
            );
          }),
        ),
      );
    }
  }

  /** Returns the entries that may be new to a chain, or after its settled part, by coin (in capitals, as in snapshots). */
  #recentEntries({ billScopes }: Wallet, states: readonly ChainState[]): Map<string, StoredEntry[]> {
    const byCoin = new Map<string, StoredEntry[]>();
    if (states.length === 0) return byCoin;
    // All entries of a coin of which nothing is settled are read anyway.
    const settledAt = Math.min(Number.MAX_SAFE_INTEGER, ...states.flatMap((state) => state.settledAt ?? []));
    const through = Math.min(...states.map(({ billsThrough }) => billsThrough));
    for (const scopeId of billScopes) {
      const after = Math.min(through, this.#rows.lastSnapshotBefore(scopeId, settledAt));
      for (const entry of this.#entries.recent({ scopeId, after, through, settledAt })) {
        const coin = entry.coin.toUpperCase();
        const entries = byCoin.get(coin) ?? [];
        byCoin.set(coin, entries);
        entries.push(entry);
      }
    }
    return byCoin;
  }

  /** Returns the coins with a settled verdict that no longer follows from where the ledger was collected: a hole was filled, or has another cause. */
  #outdatedCoins(
    { accountId, name, hasLedger }: Wallet,
    known: ReadonlyMap<string, ChainState>,
    { holes }: Collected,
  ): Set<string> {
    const outdated = new Set<string>();
    for (const { coin, from, to, verdict, cause } of hasLedger ? this.#rows.verdicts(accountId, name) : []) {
      const until = Math.min(to, known.get(coin)?.settledAt ?? 0);
      if (from >= until) continue;
      const hole = holes.find((one) => one.to > from && one.from < until);
      const isInHole = verdict === "gap" || verdict === "unprovable";
      if (hole ? verdict !== verdictIn(hole) || cause !== hole.cause : isInHole) outdated.add(coin);
    }
    return outdated;
  }

  #reconcileChain(
    { wallet, coin }: { wallet: Wallet; coin: string },
    {
      state,
      isKnown,
      recent,
      collected,
      seen,
    }: { state: ChainState | undefined; isKnown: boolean; recent: StoredEntry[]; collected: Collected; seen: number },
    now: number,
  ): number {
    const key: ChainKey = { accountId: wallet.accountId, wallet: wallet.name, coin };
    const settledAt = state?.settledAt ?? null;
    const isLate = recent.some(
      ({ at, snapshotId }) => at <= (settledAt ?? 0) && snapshotId > (state?.billsThrough ?? 0),
    );
    const from = isLate || settledAt === null || !state ? null : { at: settledAt, state };
    const all = from
      ? recent.filter(({ at }) => at > from.at)
      : wallet.billScopes.flatMap((scopeId) => this.#entries.ofCoin(scopeId, coin));
    const entries = wallet.hasLedger ? all : null;
    const snapshots = this.#wallets.snapshots(wallet, coin, from?.at ?? 0);
    // A coin that was never held. One that is known continues, because its stretches end later, and bills may be missing.
    if (
      !isKnown &&
      all.length === 0 &&
      snapshots.versions.every(({ balance }) => balance !== null && /^[0.]*$/.test(balance))
    )
      return 0;
    // A withdrawal explains nothing before its record, which has the fee, was read.
    const openAfter = Math.min(now - lateMs, collected.through, collectedOf(this.#sqlite, wallet.feeScopes).through);
    const known = this.#rows.findings(wallet.accountId);
    const { findings, ...result } = judgeChain(
      {
        entries,
        snapshots,
        before: from?.state.settledBalance ?? null,
        tolerance: wallet.source.tolerance,
        holes: collected.holes,
        openAfter,
        settleUntil: Math.max(settledThrough(collected, openAfter), now - settleLatestMs),
        readUntil: collected.through + slotMs,
        isUnsettled: isNearFunding,
      },
      {
        ...{ wallet: wallet.name, coin, frozen: () => this.#wallets.frozen(wallet, coin, from?.at ?? 0) },
        isFound: leavesOutFrozen(known, wallet.name, coin),
        findings: () => new Findings(known),
      },
    );
    this.#store(key, { from: from?.state, result, snapshots, all, seen, now });
    this.#rows.addFindings(wallet.accountId, findings);
    return all.length;
  }

  #store(
    key: ChainKey,
    {
      from,
      result,
      snapshots,
      all,
      seen,
      now,
    }: {
      from: ChainState | undefined;
      result: Reconciliation<StoredEntry>;
      snapshots: Snapshots;
      all: readonly StoredEntry[];
      seen: number;
      now: number;
    },
  ): void {
    const before = from?.lastSettled ? [from.lastSettled] : [];
    const { settled } = result;
    this.#rows.replaceIntervals(key, before[0]?.from ?? 0, merged([...before, ...result.intervals]));
    this.#rows.replaceBalances(key, from?.settledAt ?? -1, uncoveredBalances(snapshots, result.intervals));
    this.#rows.putSteps(stepRows(result.steps));
    const state: ChainState = {
      settledAt: settled?.at ?? from?.settledAt ?? null,
      settledBalance: settled?.balance ?? from?.settledBalance ?? null,
      lastSettled: settled ? (merged([...before, ...settled.intervals]).at(-1) ?? null) : (before[0] ?? null),
      billsThrough: Math.max(from?.billsThrough ?? 0, seen, ...all.map(({ snapshotId }) => snapshotId)),
    };
    this.#rows.putChain(key, state, { now, continues: from !== undefined });
  }
}

/** Returns up to when the ledger was collected completely, the time in progress excepted. */
const settledThrough = ({ holes }: Collected, openAfter: number): number =>
  Math.min(openAfter, ...holes.filter(({ to }) => to === Number.MAX_SAFE_INTEGER).map(({ from }) => from));
