/**
 * Sends messages in order, each until it is delivered or too old (at-least-once delivery). A message is marked after the response: a
 * crash in between repeats it with the same id.
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

/** Messages older than this are dropped. Milliseconds. */
const maxAgeMs = dayMs;

/** The pause between attempts doubles each time, from the shortest to the longest. Milliseconds. */
const pause = { shortest: 1000, longest: 300_000 };

/** A message whose form the receiver rejects is dropped after this many attempts, so that it does not hold up the others. */
const maxRejectedAttempts = 5;
const rejectedStatuses = [400, 413, 422];

/** At a stop, the request in progress may take this long. Milliseconds. */
const stopTimeoutMs = 1500;

export interface DeliveryOptions {
  store: Pick<Store, "alerts">;
  webhook: Webhook;
  /** Default: none. */
  proxy?: ProxySettings | undefined;
  clock: Clock;
  log: Log;
}

/** Delivers the messages of the outbox, one at a time. */
export class Delivery {
  readonly #alerts: AlertStore;
  readonly #webhook: Webhook;
  readonly #proxy: ProxySettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  #hasStopped = false;
  #sending: Promise<void> | null = null;
  /** The outcome of a message that could not be written yet, as when the disk is full. Until then the message is not sent again. */
  #unwritten: { id: number; as: DeliveryMark } | null = null;

  constructor({ store, webhook, proxy = noProxy, clock, log }: DeliveryOptions) {
    this.#alerts = store.alerts;
    this.#webhook = webhook;
    this.#proxy = proxy;
    this.#clock = clock;
    this.#log = log;
  }

  /** Begins sending what is due, unless sending is in progress. */
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

  /** Waits a moment for the request in progress, then aborts it. */
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

  /** Returns true if a message is due. A wait longer than any pause means that the clock was set back; then it is due as well. */
  #isDue({ nextAt }: Message): boolean {
    const wait = nextAt - this.#clock.now();
    return wait <= 0 || wait > 2 * pause.longest;
  }

  async #send(message: Message): Promise<void> {
    const { id, alert, nextAt, attempts } = message;
    const now = this.#clock.now();
    if (now - message.at > maxAgeMs) {
      this.#log.warn({ alert }, `alert dropped, not delivered within a day: ${message.sentence}`);
      const problem = message.problem ?? "not delivered within a day";
      await this.#mark(id, { delivery: "given up", attempts, nextAt, problem });
      return;
    }
    const { problem, isRejected, waitMs } = await this.#attempt(message, now);
    if (this.#stopping.signal.aborted && problem !== null) return;
    const tried = attempts + 1;
    const isFinal = isRejected && tried >= maxRejectedAttempts;
    const delivery = problem === null ? "delivered" : isFinal ? "given up" : "pending";
    const wait = Math.max(waitMs, Math.min(pause.shortest * 2 ** Math.min(attempts, 20), pause.longest));
    const nextTry = this.#clock.now() + Math.min(wait, pause.longest);
    await this.#mark(id, { delivery, attempts: tried, nextAt: nextTry, problem });
    const fields = { alert, attempts: tried };
    if (problem === null) this.#log.debug(fields, "alert delivered");
    else if (isFinal) this.#log.error(fields, `alert dropped: the webhook ${problem}`);
    else this.#log.error(fields, `alert not delivered: the webhook ${problem}; retrying`);
  }

  async #attempt(
    message: Message,
    now: number,
  ): Promise<{ problem: string | null; isRejected: boolean; waitMs: number }> {
    const webhook = this.#webhook;
    try {
      const body = bodyOf(webhook, message, now);
      const response = await post(webhook.url, body, this.#stopping.signal, { proxy: this.#proxy });
      return {
        problem: problemOf(response, webhook),
        isRejected: rejectedStatuses.includes(response.status) && !isRecoverable(webhook, response),
        waitMs: response.retryAfterMs ?? 0,
      };
    } catch (error) {
      return { problem: `cannot be reached: ${(error as Error).message}`, isRejected: false, waitMs: 0 };
    }
  }

  async #mark(id: number, as: DeliveryMark): Promise<void> {
    this.#unwritten = { id, as };
    await this.#alerts.mark(id, as);
    this.#unwritten = null;
  }
}
