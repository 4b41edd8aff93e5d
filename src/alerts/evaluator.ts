/**
 * Evaluates what was stored since the last look. It decides from the database alone and writes the state of an alert together with
 * what is to be said of it: whenever the program ends, the next process continues with neither a message more nor less.
 */
import { codesOf, errorClassOf } from "../bitget/error-codes.ts";
import { writeKey } from "../collecting/key-check.ts";
import type { Clock } from "../core/clock.ts";
import { publicAccount } from "../core/domain.ts";
import { datasetNamed } from "../datasets/index.ts";
import type { AlertSettings } from "../settings/sections/alerts.ts";
import {
  type AlertStore,
  type DeliveryState,
  type Notification,
  noChanges,
  type StoredSnapshot,
} from "../store/alerts/alert-store.ts";
import type { Store } from "../store/store.ts";
import { AlertCursor } from "./cursor.ts";
import { evaluateDrawdown, Peaks } from "./drawdown.ts";
import { Evaluation, keyOf } from "./evaluation.ts";
import { measureFuturesAccounts, measurePositions, measureUnifiedAccount, monitoredEquity } from "./measurements.ts";
import type { AlertKind, Measurement } from "./rules.ts";
import { measureStaleness } from "./staleness.ts";

/** After so long the event loop turns once: a snapshot with many positions takes a few. Milliseconds. */
const yieldAfterMs = 20;

/** The wall clock is ahead of the monotonic one by this much where the machine slept. Milliseconds. */
const minClockJumpMs = 10_000;

const rejectionCodes = [...codesOf("auth", "permission"), writeKey];

export class AlertEvaluator {
  readonly #store: Pick<Store, "alerts" | "freshness">;
  readonly #alerts: AlertStore;
  readonly #settings: AlertSettings;
  readonly #clock: Clock;
  readonly #cursor: AlertCursor;
  readonly #delivery: DeliveryState;
  /** Both clocks at the last look at ages, and since when this process has been there to collect, by the monotonic one. */
  #lookedAt: { wall: number; monotonic: number };
  #presentSince: number;

  constructor(store: Pick<Store, "alerts" | "freshness">, settings: AlertSettings, clock: Clock) {
    this.#store = store;
    this.#alerts = store.alerts;
    this.#settings = settings;
    this.#clock = clock;
    this.#cursor = new AlertCursor(store.alerts);
    this.#delivery = settings.webhook === null ? "log" : "pending";
    this.#lookedAt = { wall: clock.now(), monotonic: clock.monotonic() };
    this.#presentSince = this.#lookedAt.monotonic;
  }

  /** Ends alerts of rules that are off. What is stored up to now is the past when this is the first look ever. */
  async begin(): Promise<void> {
    const { liquidationDistance, marginRatio, drawdown, stale, keyRefused } = this.#settings;
    const isOn: Record<AlertKind, boolean> = {
      "liquidation-distance": liquidationDistance !== null,
      "margin-ratio": marginRatio !== null,
      drawdown: drawdown !== null,
      stale,
      "key-refused": keyRefused,
    };
    const ended = (await this.#alerts.open()).filter(({ kind }) => !isOn[kind as AlertKind]);
    if (ended.length > 0) await this.#alerts.record({ ...noChanges, ended });
    await this.#cursor.begin();
  }

  /** Evaluates some of what is new; resolves with what is said, and whether more is left. */
  async evaluateNew(): Promise<{ said: Notification[]; more: boolean }> {
    const unseen = await this.#cursor.next();
    const evaluation = new Evaluation(await this.#alerts.open(), this.#delivery);
    const peaks = new Peaks(this.#alerts);
    let turnedAt = this.#clock.monotonic();
    for (const seen of unseen.snapshots) {
      if (this.#clock.monotonic() - turnedAt >= yieldAfterMs) {
        await new Promise(setImmediate);
        turnedAt = this.#clock.monotonic();
      }
      await this.#evaluate(seen, evaluation, peaks);
    }
    await this.#closeUnasked(evaluation);
    const isCurrent = await this.#cursor.advance(unseen, { ...evaluation.changes(), peaks: peaks.found });
    return isCurrent ? { said: evaluation.messages, more: unseen.more } : { said: [], more: true };
  }

  /** Evaluates what only time tells. */
  async evaluateStaleness(): Promise<Notification[]> {
    const now = this.#clock.now();
    const presentMs = this.#presentMs(now);
    const scheduled = await this.#store.freshness(now);
    const readings = this.#settings.stale ? scheduled.map((one) => measureStaleness(one, presentMs)) : [];
    const listed = new Set(readings.map(keyOf));
    const open = await this.#alerts.open();
    const evaluation = new Evaluation(open, this.#delivery);
    for (const reading of readings) evaluation.apply(reading, now);
    for (const alert of open) {
      const isGone =
        alert.kind === "stale"
          ? !listed.has(keyOf(alert))
          : alert.kind === "key-refused" && scheduled.every(({ account }) => account !== alert.account);
      if (isGone) evaluation.close(alert, now);
    }
    // Nearly always there is none, and nothing is written.
    if (evaluation.messages.length === 0) return [];
    return (await this.#alerts.record({ ...noChanges, ...evaluation.changes() })) ? evaluation.messages : [];
  }

  /** Writes down how far it has looked. */
  end(): Promise<void> {
    return this.#cursor.save();
  }

  async #evaluate(seen: StoredSnapshot, evaluation: Evaluation, peaks: Peaks): Promise<void> {
    const settings = this.#settings;
    if (settings.keyRefused && seen.account !== publicAccount) await this.#evaluateKey(seen, evaluation);
    if (seen.errorCode !== null || !["positions", "mix-accounts", "equity"].includes(seen.dataset)) return;
    const rows = await this.#alerts.rows(datasetNamed(seen.dataset), seen.id);
    const apply = (readings: readonly Measurement[]) => {
      for (const reading of readings) evaluation.apply(reading, seen.takenAt, seen.id);
    };
    if (seen.dataset === "positions") {
      const readings = measurePositions(seen, rows, settings);
      apply(readings);
      evaluation.closeOthers(seen, ["liquidation-distance", "margin-ratio"], readings);
    }
    if (seen.dataset === "mix-accounts") {
      const readings = measureFuturesAccounts(seen, rows, settings);
      apply(readings);
      evaluation.closeOthers(seen, ["margin-ratio"], readings);
    }
    if (seen.dataset !== "equity") return;
    apply(measureUnifiedAccount(seen, rows, settings));
    const { drawdown, drawdownHours } = settings;
    const equity = monitoredEquity(rows);
    if (equity === null) return;
    const known = await peaks.add(seen, equity.value, drawdownHours);
    if (drawdown !== null)
      apply([await evaluateDrawdown(seen, equity, known, { drawdown, drawdownHours }, this.#alerts)]);
  }

  /** A key is refused as long as anything that is asked with it was refused the last time it was answered. */
  async #evaluateKey(seen: StoredSnapshot, evaluation: Evaluation): Promise<void> {
    const { account, errorCode } = seen;
    const isOpen = evaluation.openOf("key-refused", account).length > 0;
    if (errorCode === null ? !isOpen : !rejectionCodes.includes(errorCode)) return;
    const code = (await this.#alerts.lastOutcomes(seen, rejectionCodes)).find((one) => one.code !== null)?.code ?? null;
    const reading = { kind: "key-refused", account, subject: "key", what: "API key", scopeId: null } as const;
    const judged =
      code === null
        ? ({ verdict: "good", how: "is accepted" } as const)
        : ({ verdict: "bad", how: `is refused (${rejectionText(code)})` } as const);
    evaluation.apply({ ...reading, ...judged, value: null, threshold: null }, seen.takenAt, seen.id);
  }

  /** Closes alerts whose scope is asked no more. */
  async #closeUnasked(evaluation: Evaluation): Promise<void> {
    const scopes = evaluation.open.flatMap(({ scopeId }) => scopeId ?? []);
    if (scopes.length === 0) return;
    const unasked = await this.#alerts.inactiveScopes(scopes);
    for (const alert of evaluation.open)
      if (alert.scopeId !== null && unasked.includes(alert.scopeId)) evaluation.close(alert, this.#clock.now());
  }

  /** For how long this process has been there to collect: it is as new where the machine slept, or its clock was set. */
  #presentMs(now: number): number {
    const monotonic = this.#clock.monotonic();
    const leap = now - this.#lookedAt.wall - (monotonic - this.#lookedAt.monotonic);
    this.#lookedAt = { wall: now, monotonic };
    if (leap > minClockJumpMs) this.#presentSince = monotonic;
    return monotonic - this.#presentSince;
  }
}

function rejectionText(code: string): string {
  if (code === writeKey) return "it may write, and BITGET_ALLOW_WRITE_KEYS is not set";
  const { hint } = errorClassOf(code, 400);
  return hint === "" ? code : `${code}: ${hint}`;
}
