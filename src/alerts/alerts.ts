/** Alerts: looks at what each run has stored, says what began and what is over in the log, and sends it on. */

import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { ProxySettings } from "../network/proxy.ts";
import type { AlertSettings } from "../settings/sections/alerts.ts";
import type { Notification } from "../store/alerts/alert-store.ts";
import type { Store } from "../store/store.ts";
import { createDelivery } from "./delivery/delivery.ts";
import { Watch } from "./watch.ts";
import { instantText } from "./words.ts";

/** What only time tells is looked at this often. Milliseconds. */
const agesEvery = 5000;

/** A long way that is left when the program stops is gone on for so long; the next start goes the rest. Milliseconds. */
const lastLook = 1500;

/** What could not be written is tried again after this. Milliseconds. */
const retryAfter = 5000;

export interface Alerts {
  /** A run was stored: there may be news. */
  onEnded(): void;
  /** To be called every second: looks at what is new, and sends what is due. The first time ever, what is stored so far is the past. */
  tick(): void;
  /** Resolves when nothing is looked at, and nothing is on its way. */
  idle(): Promise<void>;
  /** Looks at what was stored last, and lets what is on its way arrive. What is left the next start sends. Ticks must have ended. */
  stop(): Promise<void>;
}

export interface AlertOptions {
  store: Store;
  settings: AlertSettings;
  /** Default: none. */
  proxy?: ProxySettings;
  clock: Clock;
  log: Log;
}

export function createAlerts({ store, settings, proxy, clock, log }: AlertOptions): Alerts {
  const watch = new Watch(store, settings, clock);
  const { webhook } = settings;
  const delivery = webhook && createDelivery({ store, webhook, proxy, clock, log });
  let begun = false;
  let news = true;
  let looking: Promise<void> | null = null;
  /** By the monotonic clock. */
  let agesAt = Number.NEGATIVE_INFINITY;
  let notBefore = Number.NEGATIVE_INFINITY;
  let lookUntil = Number.POSITIVE_INFINITY;

  async function lookAtAll(): Promise<void> {
    if (!begun) await watch.begin();
    begun = true;
    while (news && clock.monotonic() < lookUntil) {
      news = false;
      const { said, more } = await watch.look();
      tell(said);
      news ||= more;
      // Others have their turn between two steps of a long way.
      await new Promise(setImmediate);
    }
    if (clock.monotonic() - agesAt < agesEvery) return;
    agesAt = clock.monotonic();
    tell(await watch.lookAtAges());
  }

  function tell(said: readonly Notification[]): void {
    for (const { alert, state, at, sentence, ...rest } of said) {
      const { kind, account, what, value, threshold } = rest;
      const fields = { alert, state, kind, account, what, value, limit: threshold, at: instantText(at) };
      log[state === "fired" ? "warn" : "info"](fields, sentence);
    }
    if (said.length > 0) delivery?.tick();
  }

  function look(): void {
    const now = clock.monotonic();
    if (looking || now < notBefore || !(news || now - agesAt >= agesEvery)) return;
    looking = lookAtAll()
      .catch((error: unknown) => {
        news = true;
        notBefore = clock.monotonic() + retryAfter;
        complain(error);
      })
      .finally(() => {
        looking = null;
      });
  }

  function complain(error: unknown): void {
    log.error({}, `alerts: ${error instanceof Error ? error.message : String(error)}`);
  }

  function tick(): void {
    look();
    delivery?.tick();
  }

  async function idle(): Promise<void> {
    while (looking) await looking;
    await delivery?.idle();
  }

  return {
    onEnded() {
      news = true;
      if (begun) look();
    },
    tick,
    idle,
    async stop() {
      lookUntil = clock.monotonic() + lastLook;
      while (looking) await looking;
      notBefore = Number.NEGATIVE_INFINITY;
      if (begun && news) look();
      while (looking) await looking;
      if (begun) await watch.end().catch(complain);
      begun = false;
      lookUntil = Number.POSITIVE_INFINITY;
      await delivery?.stop();
    },
  };
}
