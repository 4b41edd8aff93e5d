/** Alerts: looks at what each run has stored, says what began and what is over in the log, and sends it on. */

import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { ProxySettings } from "../network/proxy.ts";
import type { AlertSettings } from "../settings/sections/alerts.ts";
import type { Notification } from "../store/alerts/alert-store.ts";
import type { Store } from "../store/store.ts";
import { Delivery } from "./delivery/delivery.ts";
import { AlertEvaluator } from "./evaluator.ts";
import { instantText } from "./messages.ts";

/** What only time tells is looked at this often. Milliseconds. */
const stalenessEveryMs = 5000;

/** A long way that is left when the program stops is gone on for so long; the next start goes the rest. Milliseconds. */
const stopGraceMs = 1500;

/** What could not be written is tried again after this. Milliseconds. */
const retryAfterMs = 5000;

export interface AlertOptions {
  store: Store;
  settings: AlertSettings;
  /** Default: none. */
  proxy?: ProxySettings;
  clock: Clock;
  log: Log;
}

export class Alerts {
  readonly #watch: AlertEvaluator;
  readonly #delivery: Delivery | null;
  readonly #clock: Clock;
  readonly #log: Log;
  #hasBegun = false;
  #hasNews = true;
  #looking: Promise<void> | null = null;
  /** By the monotonic clock. */
  #agesAt = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;
  #lookUntil = Number.POSITIVE_INFINITY;

  constructor({ store, settings, proxy, clock, log }: AlertOptions) {
    this.#watch = new AlertEvaluator(store, settings, clock);
    const { webhook } = settings;
    this.#delivery = webhook && new Delivery({ store, webhook, proxy, clock, log });
    this.#clock = clock;
    this.#log = log;
  }

  /** A run was stored: there may be news. */
  onEnded(): void {
    this.#hasNews = true;
    if (this.#hasBegun) this.#look();
  }

  /** To be called every second: looks at what is new, and sends what is due. The first time ever, what is stored so far is the past. */
  tick(): void {
    this.#look();
    this.#delivery?.tick();
  }

  /** Resolves when nothing is evaluated, and nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#looking) await this.#looking;
    await this.#delivery?.idle();
  }

  /** Looks at what was stored last, and lets what is on its way arrive. The next start sends the rest. Ticks must have ended. */
  async stop(): Promise<void> {
    this.#lookUntil = this.#clock.monotonic() + stopGraceMs;
    while (this.#looking) await this.#looking;
    this.#notBefore = Number.NEGATIVE_INFINITY;
    if (this.#hasBegun && this.#hasNews) this.#look();
    while (this.#looking) await this.#looking;
    if (this.#hasBegun) await this.#watch.end().catch((error) => this.#complain(error));
    this.#hasBegun = false;
    this.#lookUntil = Number.POSITIVE_INFINITY;
    await this.#delivery?.stop();
  }

  #look(): void {
    const now = this.#clock.monotonic();
    const isTime = this.#hasNews || now - this.#agesAt >= stalenessEveryMs;
    if (this.#looking || now < this.#notBefore || !isTime) return;
    this.#looking = this.#lookAtAll()
      .catch((error: unknown) => {
        this.#hasNews = true;
        this.#notBefore = this.#clock.monotonic() + retryAfterMs;
        this.#complain(error);
      })
      .finally(() => {
        this.#looking = null;
      });
  }

  async #lookAtAll(): Promise<void> {
    if (!this.#hasBegun) await this.#watch.begin();
    this.#hasBegun = true;
    while (this.#hasNews && this.#clock.monotonic() < this.#lookUntil) {
      this.#hasNews = false;
      const { said, more } = await this.#watch.evaluateNew();
      this.#report(said);
      this.#hasNews ||= more;
      // The event loop turns between two steps of a long way.
      await new Promise(setImmediate);
    }
    if (this.#clock.monotonic() - this.#agesAt < stalenessEveryMs) return;
    this.#agesAt = this.#clock.monotonic();
    this.#report(await this.#watch.evaluateStaleness());
  }

  #report(said: readonly Notification[]): void {
    for (const { alert, state, at, sentence, ...rest } of said) {
      const { kind, account, what, value, threshold } = rest;
      const fields = { alert, state, kind, account, what, value, limit: threshold, at: instantText(at) };
      this.#log[state === "fired" ? "warn" : "info"](fields, sentence);
    }
    if (said.length > 0) this.#delivery?.tick();
  }

  #complain(error: unknown): void {
    this.#log.error({}, `alerts: ${error instanceof Error ? error.message : String(error)}`);
  }
}
