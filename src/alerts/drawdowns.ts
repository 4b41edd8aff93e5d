/**
 * Evaluates the drawdown of each snapshot of the equity. A deposit or withdrawal is in the exchange's ledger some minutes later: where a
 * ledger is collected, a snapshot waits until it was read so far, so that a withdrawal is no loss and a deposit hides none.
 */
import { cooperate } from "../core/async/cooperate.ts";
import type { Clock } from "../core/clock.ts";
import type { Row } from "../core/domain.ts";
import { minuteMs } from "../core/time.ts";
import { equity as dataset } from "../datasets/snapshots/equity.ts";
import type { AlertSettings } from "../settings/sections/alerts.ts";
import {
  type AlertStore,
  type DeliveryState,
  type Notification,
  noChanges,
  type StoredSnapshot,
} from "../store/alerts/alert-store.ts";
import type { HistoryReader } from "../store/history.ts";
import { Evaluation } from "./evaluation.ts";
import { evaluateDrawdown, measureHeight, Peaks } from "./measurements/drawdown.ts";
import { LedgerDrawdowns } from "./measurements/ledger-drawdowns.ts";
import { monitoredEquity } from "./measurements/limits.ts";

/** A snapshot waits for the ledger at most so long, after which what was paid since the ledger's end counts as won or lost. Milliseconds. */
const longestWaitMs = 15 * minuteMs;

/** Evaluation yields to the event loop after this long; a snapshot with many positions takes a few. Milliseconds. */
export const turnMs = 20;

/** Ends a reading that takes longer than the program may. */
class StoppedError extends Error {}

interface Waiting {
  snapshot: StoredSnapshot;
  /** By the monotonic clock. */
  since: number;
}

type Limits = Pick<AlertSettings, "drawdown" | "drawdownHours">;

export interface DrawdownOptions {
  alerts: AlertStore;
  settings: Limits;
  clock: Clock;
  /** Null where no ledger can be read: then no snapshot waits. */
  history: HistoryReader | null;
  /** The initial state of notifications. */
  delivery: DeliveryState;
}

/** Evaluates drawdowns, those of an account in the order of its snapshots. */
export class Drawdowns {
  readonly #alerts: AlertStore;
  readonly #settings: Limits;
  readonly #clock: Clock;
  readonly #ledgers: LedgerDrawdowns | null;
  readonly #delivery: DeliveryState;
  readonly #waiting = new Map<string, Waiting[]>();
  /** Reading stops after this instant of the monotonic clock. */
  readUntil = Number.POSITIVE_INFINITY;
  /** The id of the last snapshot that was evaluated, of each account whose snapshots ever waited. */
  #evaluatedTo = new Map<string, number>();

  constructor({ alerts, settings, clock, history, delivery }: DrawdownOptions) {
    this.#alerts = alerts;
    this.#settings = settings;
    this.#clock = clock;
    this.#ledgers = history && settings.drawdown !== null ? new LedgerDrawdowns(history, settings.drawdownHours) : null;
    this.#delivery = delivery;
  }

  /** Continues with the snapshots that were waiting when the last process ended. */
  async begin(): Promise<void> {
    // Where several processes share a PostgreSQL, no snapshot waits, and each would find those of all.
    if (this.#alerts.isOwn) return;
    this.#evaluatedTo = new Map(await this.#alerts.drawdownsTo());
    this.#waiting.clear();
    for (const [account, to] of this.#evaluatedTo)
      for (const snapshot of await this.#alerts.waitingEquities(account, to)) this.#add(snapshot);
  }

  /** Evaluates a good snapshot of the equity, or makes it wait. `rows` are those of the snapshot. */
  async take(snapshot: StoredSnapshot, rows: readonly Row[], evaluation: Evaluation, peaks: Peaks): Promise<void> {
    const { account, id } = snapshot;
    // Later, those that need not wait are evaluated in the same pass: the stored position has to pass them, too.
    if (!this.#evaluatedTo.has(account)) {
      if (this.#through(account) === null) return this.#evaluate(snapshot, rows, evaluation, peaks);
      const drawdowns = [{ account, to: id - 1 }];
      await this.#alerts.record({ ...noChanges, drawdowns });
      this.#evaluatedTo.set(account, id - 1);
    }
    this.#add(snapshot);
  }

  /** Notes that the ledger of an account was read. */
  onReconciled(account: string): void {
    this.#ledgers?.refresh(account);
  }

  /** Returns the accounts whose snapshots may be waiting. */
  accounts(): string[] {
    return [...this.#waiting.keys()];
  }

  /** Evaluates the snapshots of an account that need not wait any longer. Returns the notifications. */
  async evaluateWaiting(account: string): Promise<Notification[]> {
    try {
      return await this.#evaluateAccount(account, this.#waiting.get(account) ?? []);
    } catch (error) {
      if (error instanceof StoppedError) return [];
      throw error;
    }
  }

  #add(snapshot: StoredSnapshot): void {
    const { account, id, takenAt } = snapshot;
    const waiting = this.#waiting.get(account) ?? [];
    this.#waiting.set(account, waiting);
    // A batch whose changes could not be written is read again.
    const last = waiting.at(-1)?.snapshot.id ?? this.#evaluatedTo.get(account) ?? 0;
    // It may have waited in an earlier process.
    const waitedMs = Math.max(0, this.#clock.now() - takenAt);
    if (id > last) waiting.push({ snapshot, since: this.#clock.monotonic() - waitedMs });
  }

  #through(account: string): number | null {
    return this.#ledgers?.through(account, this.#clock.now()) ?? null;
  }

  async #evaluateAccount(account: string, waiting: Waiting[]): Promise<Notification[]> {
    const through = this.#through(account);
    const latest = this.#clock.monotonic() - longestWaitMs;
    const last = waiting.findLastIndex(
      ({ snapshot, since }) => through === null || snapshot.takenAt <= through || since <= latest,
    );
    const due = waiting.slice(0, last + 1).map(({ snapshot }) => snapshot);
    const to = due.at(-1)?.id;
    if (to === undefined) return [];
    const heights = through === null ? null : await this.#heights(account, due);
    const evaluation = new Evaluation(await this.#alerts.open(), this.#delivery);
    const peaks = new Peaks(this.#alerts);
    const { drawdown, drawdownHours } = this.#settings;
    for (const snapshot of due) {
      const rows = await this.#alerts.rows(dataset, snapshot.id);
      const height = heights?.get(snapshot.takenAt);
      await this.#evaluate(snapshot, rows, height ? null : evaluation, peaks);
      if (height && drawdown !== null)
        evaluation.apply(measureHeight(snapshot, height, { drawdown, drawdownHours }), snapshot.takenAt, snapshot.id);
    }
    const changes = { ...noChanges, ...evaluation.changes(), peaks: peaks.found, drawdowns: [{ account, to }] };
    // If another process has changed an alert meanwhile, they are evaluated again.
    if (!(await this.#alerts.record(changes))) return [];
    waiting.splice(0, due.length);
    this.#evaluatedTo.set(account, to);
    return evaluation.messages;
  }

  #heights(account: string, due: readonly StoredSnapshot[]) {
    const times = due.map(({ takenAt }) => takenAt);
    const asked = { from: Math.min(...times), to: Math.max(...times), now: this.#clock.now() };
    const onTurn = () => {
      if (this.#clock.monotonic() > this.readUntil) throw new StoppedError();
    };
    return this.#ledgers && cooperate(this.#ledgers.heights(account, asked), { turnMs, onTurn });
  }

  /** Evaluates a snapshot by the peaks of its equity; keeps only the peak if `evaluation` is null. */
  async #evaluate(
    snapshot: StoredSnapshot,
    rows: readonly Row[],
    evaluation: Evaluation | null,
    peaks: Peaks,
  ): Promise<void> {
    const { drawdown, drawdownHours } = this.#settings;
    const equity = monitoredEquity(rows);
    if (equity === null) return;
    const known = await peaks.add(snapshot, equity.value, drawdownHours);
    if (drawdown === null || !evaluation) return;
    const measured = await evaluateDrawdown(snapshot, equity, known, { drawdown, drawdownHours }, this.#alerts);
    evaluation.apply(measured, snapshot.takenAt, snapshot.id);
  }
}
