/**
 * Sends what is to be said, one after the other, until each has arrived or is too old. What was sent is marked after the
 * answer: only who dies between the two sends one twice, under the same id.
 */
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { dayMs } from "../../core/time.ts";
import { noProxy, type ProxySettings } from "../../network/proxy.ts";
import type { Webhook } from "../../settings/sections/alerts.ts";
import type { DeliveryMark, Message } from "../../store/alerts/alert-store.ts";
import type { Store } from "../../store/store.ts";
import { bodyOf } from "./formats.ts";
import { isMendable, post, problemOf } from "./post.ts";

/** Of no use to anybody after this. Milliseconds. */
const oldest = dayMs;

/** Between two attempts: doubled each time, up to the longest. Milliseconds. */
const pause = { shortest: 1000, longest: 300_000 };

/** A receiver that refuses the very form of a message will not change its mind: so many attempts, that others get their turn. */
const attemptsAtRefused = 5;
const refusedStatus = [400, 413, 422];

/** The request that is on its way when the program stops has this long. Milliseconds. */
const lastPatience = 1500;

export interface Delivery {
  /** Sends what is due, unless that is going on. */
  tick(): void;
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export interface DeliveryOptions {
  store: Pick<Store, "alerts">;
  webhook: Webhook;
  /** Default: none. */
  proxy?: ProxySettings | undefined;
  clock: Clock;
  log: Log;
}

export function createDelivery({ store, webhook, proxy = noProxy, clock, log }: DeliveryOptions): Delivery {
  const { alerts } = store;
  const stopping = new AbortController();
  let stopped = false;
  let sending: Promise<void> | null = null;
  /** What became of a message, while that cannot be written, as when the disk is full: it is not sent again for that. */
  let unwritten: { id: number; as: DeliveryMark } | null = null;

  async function mark(id: number, as: DeliveryMark): Promise<void> {
    unwritten = { id, as };
    await alerts.mark(id, as);
    unwritten = null;
  }

  async function sendDue(): Promise<void> {
    while (!stopped) {
      if (unwritten) await mark(unwritten.id, unwritten.as);
      const message = await alerts.nextPending();
      if (!message || !isDue(message)) return;
      await send(message);
    }
  }

  /** By a wall clock that may have been set back meanwhile. */
  function isDue({ nextAt }: Message): boolean {
    const wait = nextAt - clock.now();
    return wait <= 0 || wait > 2 * pause.longest;
  }

  async function send(message: Message): Promise<void> {
    const { id, alert, nextAt, attempts } = message;
    const now = clock.now();
    if (now - message.at > oldest) {
      log.warn({ alert }, `an alert is too old to be sent any more: ${message.sentence}`);
      const problem = message.problem ?? "it was a day old before it could be sent";
      await mark(id, { delivery: "given up", attempts, nextAt, problem });
      return;
    }
    const { problem, isRefused, waitMs } = await attempt(message, now);
    if (stopping.signal.aborted && problem !== null) return;
    const tried = attempts + 1;
    const isHopeless = isRefused && tried >= attemptsAtRefused;
    const delivery = problem === null ? "delivered" : isHopeless ? "given up" : "pending";
    const wait = Math.max(waitMs, Math.min(pause.shortest * 2 ** Math.min(attempts, 20), pause.longest));
    const nextTry = clock.now() + Math.min(wait, pause.longest);
    await mark(id, { delivery, attempts: tried, nextAt: nextTry, problem });
    const fields = { alert, attempts: tried };
    if (problem === null) log.debug(fields, "alert delivered");
    else if (isHopeless) log.error(fields, `alert given up: the webhook ${problem}`);
    else log.error(fields, `alert not delivered: the webhook ${problem}; it is tried again`);
  }

  async function attempt(
    message: Message,
    now: number,
  ): Promise<{ problem: string | null; isRefused: boolean; waitMs: number }> {
    try {
      const answered = await post(webhook.url, bodyOf(webhook, message, now), stopping.signal, { proxy });
      return {
        problem: problemOf(answered, webhook),
        isRefused: refusedStatus.includes(answered.status) && !isMendable(webhook, answered),
        waitMs: answered.retryAfterMs ?? 0,
      };
    } catch (error) {
      return { problem: `cannot be reached: ${(error as Error).message}`, isRefused: false, waitMs: 0 };
    }
  }

  function tick(): void {
    if (stopped || sending) return;
    sending = sendDue()
      .catch((error: unknown) => log.error({}, `alerts: ${error instanceof Error ? error.message : String(error)}`))
      .finally(() => {
        sending = null;
      });
  }

  async function idle(): Promise<void> {
    while (sending) await sending;
  }

  return {
    tick,
    idle,
    async stop() {
      stopped = true;
      const abort = setTimeout(() => stopping.abort(new Error("the program was stopped")), lastPatience);
      await idle();
      clearTimeout(abort);
    },
  };
}
