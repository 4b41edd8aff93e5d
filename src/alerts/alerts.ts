/** Evaluates what each run has stored, logs each alert that fires or recovers, and sends it to the webhook. */

import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { ProxySettings } from "../network/proxy.ts";
import type { AlertSettings } from "../settings/sections/alerts.ts";
import type { Notification } from "../store/alerts/alert-store.ts";
import type { HistoryReader } from "../store/history.ts";
import type { Store } from "../store/store.ts";
import { Delivery } from "./delivery/delivery.ts";
import { AlertEvaluator } from "./evaluator.ts";

/** The interval at which staleness, which changes with time alone, is evaluated. Milliseconds. */
const stalenessEveryMs = 5000;

/** At a stop, a backlog is evaluated for at most this long; the next start evaluates the rest. Milliseconds. */
const stopGraceMs = 1500;

/** Evaluation is retried this long after its state could not be written. Milliseconds. */
const retryAfterMs = 5000;

export interface AlertOptions {
  store: Store;
  /** Reads the exchange's ledger. Default: null, deposits and withdrawals are unknown. */
  history?: HistoryReader | null;
  settings: AlertSettings;
  /** What is stored of the settings for processes that only show them. Default: nothing. */
  published?: object | null;
  /** Default: none. */
  proxy?: ProxySettings;
  clock: Clock;
  log: Log;
}

/** Runs the alerts of a process: evaluates stored snapshots, logs notifications and delivers them. */
export class Alerts {
  readonly #watch: AlertEvaluator;
  readonly #delivery: Delivery | null;
  readonly #store: Pick<Store, "alerts">;
  readonly #published: object | null;
  readonly #clock: Clock;
  readonly #log: Log;
  #hasBegun = false;
  #hasNews = true;
  /** The accounts whose ledger was reconciled since it was evaluated. */
  readonly #reconciled = new Set<string>();
  #evaluating: Promise<void> | null = null;
  #evaluatingDrawdowns: Promise<void> | null = null;
  /** By the monotonic clock. */
  #stalenessAt = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;
  #evaluateUntil = Number.POSITIVE_INFINITY;

  constructor({ store, history = null, settings, published = null, proxy, clock, log }: AlertOptions) {
    this.#store = store;
    this.#published = published;
    this.#watch = new AlertEvaluator(store, settings, clock, history);
    const { webhook } = settings;
    this.#delivery = webhook && new Delivery({ store, webhook, proxy, clock, log });
    this.#clock = clock;
    this.#log = log;
  }

  /** Evaluates what a run has just stored. */
  onEnded(): void {
    this.#hasNews = true;
    if (this.#hasBegun) this.#evaluate();
  }

  /** Evaluates the ledger of an account, which has just been reconciled. */
  onReconciled(account: string): void {
    this.#reconciled.add(account);
    this.onEnded();
  }

  /** Evaluates what is new, and sends what is due. Call it every second. On a new database, snapshots stored so far raise no alert. */
  tick(): void {
    this.#evaluate();
    this.#delivery?.tick();
  }

  /** Resolves when no evaluation and no delivery is in progress. */
  async idle(): Promise<void> {
    await this.#evaluated();
    await this.#delivery?.idle();
  }

  /** Evaluates what was stored last, and waits for the request in progress. The next start sends the rest. Stop ticking before. */
  async stop(): Promise<void> {
    this.#evaluateUntil = this.#clock.monotonic() + stopGraceMs;
    this.#watch.readUntil = this.#evaluateUntil;
    while (this.#evaluating) await this.#evaluating;
    this.#notBefore = Number.NEGATIVE_INFINITY;
    if (this.#hasBegun && this.#hasNews) this.#evaluate();
    await this.#evaluated();
    if (this.#hasBegun) await this.#watch.end().catch((error) => this.#logError(error));
    this.#hasBegun = false;
    this.#evaluateUntil = this.#watch.readUntil = Number.POSITIVE_INFINITY;
    await this.#delivery?.stop();
  }

  /** Resolves when nothing is being evaluated. */
  async #evaluated(): Promise<void> {
    while (this.#evaluating || this.#evaluatingDrawdowns) await (this.#evaluating ?? this.#evaluatingDrawdowns);
  }

  #evaluate(): void {
    const now = this.#clock.monotonic();
    const isTime = this.#hasNews || now - this.#stalenessAt >= stalenessEveryMs;
    if (this.#evaluating || now < this.#notBefore || !isTime) return;
    this.#evaluating = this.#evaluateAll()
      .catch((error: unknown) => {
        this.#hasNews = true;
        this.#notBefore = this.#clock.monotonic() + retryAfterMs;
        this.#logError(error);
      })
      .finally(() => {
        this.#evaluating = null;
      });
  }

  async #begin(): Promise<void> {
    await this.#watch.begin();
    if (this.#published) await this.#store.alerts.publish(this.#published);
  }

  async #evaluateAll(): Promise<void> {
    if (!this.#hasBegun) await this.#begin();
    this.#hasBegun = true;
    while (this.#hasNews && this.#clock.monotonic() < this.#evaluateUntil) {
      this.#hasNews = false;
      const { notifications, more } = await this.#watch.evaluateNew();
      this.#report(notifications);
      this.#hasNews ||= more;
      // Yields to the event loop between the batches of a backlog.
      await new Promise(setImmediate);
    }
    for (const account of this.#reconciled) {
      this.#report(await this.#watch.evaluateLedger(account));
      this.#reconciled.delete(account);
    }
    this.#evaluateDrawdowns();
    if (this.#clock.monotonic() - this.#stalenessAt < stalenessEveryMs) return;
    this.#stalenessAt = this.#clock.monotonic();
    this.#report(await this.#watch.evaluateStaleness());
  }

  /** Evaluates drawdowns beside all other alerts: the first reading of their window may take seconds. */
  #evaluateDrawdowns(): void {
    this.#evaluatingDrawdowns ??= this.#evaluateWaiting().finally(() => {
      this.#evaluatingDrawdowns = null;
    });
  }

  async #evaluateWaiting(): Promise<void> {
    for await (const result of this.#watch.evaluateWaiting())
      if (Array.isArray(result)) this.#report(result);
      else this.#logError(result.error);
  }

  #report(notifications: readonly Notification[]): void {
    for (const { alert, state, at, sentence, ...rest } of notifications) {
      const { kind, account, what, value, threshold } = rest;
      const fields = { alert, state, kind, account, what, value, limit: threshold, at: new Date(at).toISOString() };
      this.#log[state === "fired" ? "warn" : "info"](fields, sentence);
    }
    if (notifications.length > 0) this.#delivery?.tick();
  }

  #logError(error: unknown): void {
    this.#log.error({}, `alerts: ${error instanceof Error ? error.message : String(error)}`);
  }
}
