/**
 * Evaluates what was stored since the last evaluation. It decides from the database alone, and writes the state of an alert together
 * with its notification: whenever the program ends, the next process continues without a missing or an additional notification.
 */
import { codesOf, errorClassOf } from "../bitget/error-codes.ts";
import { writeKey } from "../collecting/key-check.ts";
import type { Clock } from "../core/clock.ts";
import { publicAccount } from "../core/domain.ts";
import { snapshotDatasetNamed } from "../datasets/index.ts";
import type { AlertSettings } from "../settings/sections/alerts.ts";
import {
  type AlertStore,
  type DeliveryState,
  type Notification,
  noChanges,
  type StoredSnapshot,
} from "../store/alerts/alert-store.ts";
import type { HistoryReader } from "../store/history.ts";
import type { Store } from "../store/store.ts";
import { AlertCursor } from "./cursor.ts";
import { Drawdowns, turnMs } from "./drawdowns.ts";
import { Evaluation, keyOf } from "./evaluation.ts";
import { Peaks } from "./measurements/drawdown.ts";
import { measureBreaks } from "./measurements/ledger-breaks.ts";
import { measureFuturesAccounts, measurePositions, measureUnifiedAccount } from "./measurements/limits.ts";
import { measureStaleness } from "./measurements/staleness.ts";
import type { AlertKind, Measurement } from "./rules.ts";

/** If the wall clock gains this much on the monotonic clock, the machine slept or its clock was set. Milliseconds. */
const minClockJumpMs = 10_000;

const rejectionCodes = [...codesOf("auth", "permission"), writeKey];

/** Evaluates the rules on stored snapshots, continuing from the stored state. */
export class AlertEvaluator {
  readonly #store: Pick<Store, "alerts" | "freshness" | "ledger">;
  readonly #alerts: AlertStore;
  readonly #settings: AlertSettings;
  readonly #clock: Clock;
  readonly #cursor: AlertCursor;
  readonly #delivery: DeliveryState;
  readonly #drawdowns: Drawdowns;
  /** Both clocks when staleness was last evaluated; `#presentSince` is the monotonic time since when this process has been able to collect. */
  #checkedAt: { wall: number; monotonic: number };
  #presentSince: number;

  /** `history` reads the exchange's ledger; null where it cannot be read. */
  constructor(
    store: Pick<Store, "alerts" | "freshness" | "ledger">,
    settings: AlertSettings,
    clock: Clock,
    history: HistoryReader | null = null,
  ) {
    this.#store = store;
    this.#alerts = store.alerts;
    this.#settings = settings;
    this.#clock = clock;
    this.#cursor = new AlertCursor(store.alerts);
    this.#delivery = settings.webhook === null ? "log" : "pending";
    this.#drawdowns = new Drawdowns({
      ...{ alerts: store.alerts, settings, clock, history },
      delivery: this.#delivery,
    });
    this.#checkedAt = { wall: clock.now(), monotonic: clock.monotonic() };
    this.#presentSince = this.#checkedAt.monotonic;
  }

  /** Ends alerts of disabled rules, and loads the positions. On a new database, snapshots stored so far are not evaluated. */
  async begin(): Promise<void> {
    const { liquidationDistance, marginRatio, drawdown, stale, keyRefused, ledgerBreak } = this.#settings;
    const isOn: Record<AlertKind, boolean> = {
      "liquidation-distance": liquidationDistance !== null,
      "margin-ratio": marginRatio !== null,
      drawdown: drawdown !== null,
      stale,
      "key-refused": keyRefused,
      "ledger-break": ledgerBreak,
    };
    const ended = (await this.#alerts.open()).filter(({ kind }) => !isOn[kind as AlertKind]);
    if (ended.length > 0) await this.#alerts.record({ ...noChanges, ended });
    await this.#cursor.begin();
    await this.#drawdowns.begin();
  }

  /** Evaluates a batch of new snapshots. Returns the notifications, and whether more snapshots are left. */
  async evaluateNew(): Promise<{ notifications: Notification[]; more: boolean }> {
    const batch = await this.#cursor.next();
    const evaluation = new Evaluation(await this.#alerts.open(), this.#delivery);
    const peaks = new Peaks(this.#alerts);
    let turnedAt = this.#clock.monotonic();
    for (const snapshot of batch.snapshots) {
      if (this.#clock.monotonic() - turnedAt >= turnMs) {
        await new Promise(setImmediate);
        turnedAt = this.#clock.monotonic();
      }
      await this.#evaluate(snapshot, evaluation, peaks);
    }
    await this.#closeInactive(evaluation);
    const changes = { ...noChanges, ...evaluation.changes(), peaks: peaks.found };
    const isCurrent = await this.#cursor.advance(batch, changes);
    return isCurrent ? { notifications: evaluation.messages, more: batch.more } : { notifications: [], more: true };
  }

  /** Evaluates what changes with time alone. Returns the notifications. */
  async evaluateStaleness(): Promise<Notification[]> {
    const now = this.#clock.now();
    const presentMs = this.#presentMs(now);
    return this.#record(() => this.#staleness(now, presentMs));
  }

  async #staleness(now: number, presentMs: number): Promise<Evaluation> {
    const scheduled = (await this.#store.freshness(now)).filter(({ account }) => this.#isOwn(account));
    const measurements = this.#settings.stale ? scheduled.map((one) => measureStaleness(one, presentMs)) : [];
    const listed = new Set(measurements.map(keyOf));
    const open = (await this.#alerts.open()).filter(({ account }) => this.#isOwn(account));
    const evaluation = new Evaluation(open, this.#delivery);
    for (const measured of measurements) evaluation.apply(measured, now);
    for (const alert of open) {
      const isRemoved =
        alert.kind === "stale"
          ? !listed.has(keyOf(alert))
          : alert.kind === "key-refused" && scheduled.every(({ account }) => account !== alert.account);
      if (isRemoved) evaluation.close(alert, now);
    }
    return evaluation;
  }

  /** The reading of drawdowns stops after this instant of the monotonic clock; the next process continues it. */
  set readUntil(instant: number) {
    this.#drawdowns.readUntil = instant;
  }

  /** Evaluates the snapshots that have waited for the ledger, account by account. Yields the notifications, or the error. */
  async *evaluateWaiting(): AsyncGenerator<Notification[] | { error: unknown }, void> {
    for (const account of this.#drawdowns.accounts())
      yield await this.#drawdowns.evaluateWaiting(account).catch((error: unknown) => ({ error }));
  }

  /** Evaluates the reconciliation of an account's ledger. Returns the notifications. */
  async evaluateLedger(account: string): Promise<Notification[]> {
    const { ledger } = this.#store;
    this.#drawdowns.onReconciled(account);
    if (!this.#settings.ledgerBreak || !ledger) return [];
    return this.#record(async () => {
      const evaluation = new Evaluation(await this.#alerts.open(), this.#delivery);
      const open = evaluation.openOf("ledger-break", account);
      for (const measured of await measureBreaks(account, open, ledger)) evaluation.apply(measured, this.#clock.now());
      return evaluation;
    });
  }

  /** Writes what an evaluation changed; evaluates again if another process wrote at the same time. Returns the notifications. */
  async #record(evaluate: () => Promise<Evaluation>): Promise<Notification[]> {
    for (;;) {
      const evaluation = await evaluate();
      // Usually nothing has changed, and nothing is written.
      if (evaluation.messages.length === 0) return [];
      if (await this.#alerts.record({ ...noChanges, ...evaluation.changes() })) return evaluation.messages;
    }
  }

  #isOwn(account: string): boolean {
    return this.#alerts.isOwn?.(account) ?? true;
  }

  /** Saves how far snapshots have been evaluated. */
  end(): Promise<void> {
    return this.#cursor.save();
  }

  async #evaluate(snapshot: StoredSnapshot, evaluation: Evaluation, peaks: Peaks): Promise<void> {
    const settings = this.#settings;
    if (settings.keyRefused && snapshot.account !== publicAccount) await this.#evaluateKey(snapshot, evaluation);
    if (snapshot.errorCode !== null || !["positions", "mix-accounts", "equity"].includes(snapshot.dataset)) return;
    const rows = await this.#alerts.rows(snapshotDatasetNamed(snapshot.dataset), snapshot.id);
    const apply = (measurements: readonly Measurement[]) => {
      for (const measured of measurements) evaluation.apply(measured, snapshot.takenAt, snapshot.id);
    };
    if (snapshot.dataset === "positions") {
      const measurements = measurePositions(snapshot, rows, settings);
      apply(measurements);
      evaluation.closeOthers(snapshot, ["liquidation-distance", "margin-ratio"], measurements);
    }
    if (snapshot.dataset === "mix-accounts") {
      const measurements = measureFuturesAccounts(snapshot, rows, settings);
      apply(measurements);
      evaluation.closeOthers(snapshot, ["margin-ratio"], measurements);
    }
    if (snapshot.dataset !== "equity") return;
    apply(measureUnifiedAccount(snapshot, rows, settings));
    await this.#drawdowns.take(snapshot, rows, evaluation, peaks);
  }

  /** Fires while the last response to any request with the key was a rejection; recovers when none is. */
  async #evaluateKey(snapshot: StoredSnapshot, evaluation: Evaluation): Promise<void> {
    const { account, errorCode } = snapshot;
    const isOpen = evaluation.openOf("key-refused", account).length > 0;
    if (errorCode === null ? !isOpen : !rejectionCodes.includes(errorCode)) return;
    const code =
      (await this.#alerts.lastOutcomes(snapshot, rejectionCodes)).find((one) => one.code !== null)?.code ?? null;
    const measured = { kind: "key-refused", account, subject: "key", what: "API key", scopeId: null } as const;
    const judged =
      code === null
        ? ({ verdict: "good", how: "is accepted" } as const)
        : ({ verdict: "bad", how: `is refused (${rejectionText(code)})` } as const);
    evaluation.apply({ ...measured, ...judged, value: null, threshold: null }, snapshot.takenAt, snapshot.id);
  }

  /** Closes alerts whose scope is no longer requested. */
  async #closeInactive(evaluation: Evaluation): Promise<void> {
    const open = evaluation.open.filter(({ account }) => this.#isOwn(account));
    const scopes = open.flatMap(({ scopeId }) => scopeId ?? []);
    if (scopes.length === 0) return;
    const inactive = await this.#alerts.inactiveScopes(scopes);
    for (const alert of open)
      if (alert.scopeId !== null && inactive.includes(alert.scopeId)) evaluation.close(alert, this.#clock.now());
  }

  /** Returns for how long this process has been able to collect. Starts at zero again after a sleep or a change of the clock. */
  #presentMs(now: number): number {
    const monotonic = this.#clock.monotonic();
    const leap = now - this.#checkedAt.wall - (monotonic - this.#checkedAt.monotonic);
    this.#checkedAt = { wall: now, monotonic };
    if (leap > minClockJumpMs) this.#presentSince = monotonic;
    return monotonic - this.#presentSince;
  }
}

function rejectionText(code: string): string {
  if (code === writeKey) return "it is not read-only, and BITGET_ALLOW_WRITE_KEYS is not set";
  const { hint } = errorClassOf(code, 400);
  return hint === "" ? code : `${code}: ${hint}`;
}
