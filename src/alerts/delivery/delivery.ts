/**
 * Sends messages one after the other, until each has arrived or is too old. A message is marked after the answer: a crash between the
 * two sends it again, under the same id.
 */
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { dayMs } from "../../core/time.ts";
import { noProxy, type ProxySettings } from "../../network/proxy.ts";
import type { Webhook } from "../../settings/sections/alerts.ts";
import type { AlertStore, DeliveryMark, Message } from "../../store/alerts/alert-store.ts";
import type { Store } from "../../store/store.ts";
import { bodyOf } from "./formats.ts";
import { isRecoverable, post, problemOf } from "./post.ts";

/** Of no use to anybody after this. Milliseconds. */
const maxAgeMs = dayMs;

/** Between two attempts: doubled each time, up to the longest. Milliseconds. */
const pause = { shortest: 1000, longest: 300_000 };

/** A receiver that refuses the very form of a message will not change its mind: so many attempts, that others get their turn. */
const maxRejectedAttempts = 5;
const rejectedStatuses = [400, 413, 422];

/** The request that is on its way when the program stops has this long. Milliseconds. */
const stopTimeoutMs = 1500;

export interface DeliveryOptions {
  store: Pick<Store, "alerts">;
  webhook: Webhook;
  /** Default: none. */
  proxy?: ProxySettings | undefined;
  clock: Clock;
  log: Log;
}

export class Delivery {
  readonly #alerts: AlertStore;
  readonly #webhook: Webhook;
  readonly #proxy: ProxySettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  #hasStopped = false;
  #sending: Promise<void> | null = null;
  /** What became of a message, while that cannot be written, as when the disk is full: it is not sent again for that. */
  #unwritten: { id: number; as: DeliveryMark } | null = null;

  constructor({ store, webhook, proxy = noProxy, clock, log }: DeliveryOptions) {
    this.#alerts = store.alerts;
    this.#webhook = webhook;
    this.#proxy = proxy;
    this.#clock = clock;
    this.#log = log;
  }

  /** Sends what is due, unless that is going on. */
  tick(): void {
    if (this.#hasStopped || this.#sending) return;
    this.#sending = this.#sendDue()
      .catch((error: unknown) =>
        this.#log.error({}, `alerts: ${error instanceof Error ? error.message : String(error)}`),
      )
      .finally(() => {
        this.#sending = null;
      });
  }

  async idle(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  /** Gives the request that is on its way a moment to end. */
  async stop(): Promise<void> {
    this.#hasStopped = true;
    const abort = setTimeout(() => this.#stopping.abort(new Error("the program was stopped")), stopTimeoutMs);
    await this.idle();
    clearTimeout(abort);
  }

  async #sendDue(): Promise<void> {
    while (!this.#hasStopped) {
      if (this.#unwritten) await this.#mark(this.#unwritten.id, this.#unwritten.as);
      const message = await this.#alerts.nextPending();
      if (!message || !this.#isDue(message)) return;
      await this.#send(message);
    }
  }

  /** By a wall clock that may have been set back meanwhile. */
  #isDue({ nextAt }: Message): boolean {
    const wait = nextAt - this.#clock.now();
    return wait <= 0 || wait > 2 * pause.longest;
  }

  async #send(message: Message): Promise<void> {
    const { id, alert, nextAt, attempts } = message;
    const now = this.#clock.now();
    if (now - message.at > maxAgeMs) {
      this.#log.warn({ alert }, `an alert is too old to be sent any more: ${message.sentence}`);
      const problem = message.problem ?? "it was a day old before it could be sent";
      await this.#mark(id, { delivery: "given up", attempts, nextAt, problem });
      return;
    }
    const { problem, isRefused, waitMs } = await this.#attempt(message, now);
    if (this.#stopping.signal.aborted && problem !== null) return;
    const tried = attempts + 1;
    const isHopeless = isRefused && tried >= maxRejectedAttempts;
    const delivery = problem === null ? "delivered" : isHopeless ? "given up" : "pending";
    const wait = Math.max(waitMs, Math.min(pause.shortest * 2 ** Math.min(attempts, 20), pause.longest));
    const nextTry = this.#clock.now() + Math.min(wait, pause.longest);
    await this.#mark(id, { delivery, attempts: tried, nextAt: nextTry, problem });
    const fields = { alert, attempts: tried };
    if (problem === null) this.#log.debug(fields, "alert delivered");
    else if (isHopeless) this.#log.error(fields, `alert given up: the webhook ${problem}`);
    else this.#log.error(fields, `alert not delivered: the webhook ${problem}; it is tried again`);
  }

  async #attempt(
    message: Message,
    now: number,
  ): Promise<{ problem: string | null; isRefused: boolean; waitMs: number }> {
    const webhook = this.#webhook;
    try {
      const body = bodyOf(webhook, message, now);
      const answered = await post(webhook.url, body, this.#stopping.signal, { proxy: this.#proxy });
      return {
        problem: problemOf(answered, webhook),
        isRefused: rejectedStatuses.includes(answered.status) && !isRecoverable(webhook, answered),
        waitMs: answered.retryAfterMs ?? 0,
      };
    } catch (error) {
      return { problem: `cannot be reached: ${(error as Error).message}`, isRefused: false, waitMs: 0 };
    }
  }

  async #mark(id: number, as: DeliveryMark): Promise<void> {
    this.#unwritten = { id, as };
    await this.#alerts.mark(id, as);
    this.#unwritten = null;
  }
}
