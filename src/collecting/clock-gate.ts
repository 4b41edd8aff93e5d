/**
 * Holds the schedule back until the exchange has confirmed this machine's clock: after a start, a sleep or a step of the clock, the
 * time of the exchange is requested first. Slots that were due by a wrong clock would stay in the run ledger forever.
 */

import type { Client } from "../bitget/client.ts";
import { type ClockCheck, type ClockVerdict, clockToleranceMs } from "../bitget/clock-check.ts";
import { withLimit } from "../core/async/abort.ts";
import { type Clock, type Instant, instantOf } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Presence } from "./due.ts";

export interface GateOptions {
  client: Pick<Client, "measureOffset">;
  clockCheck: ClockCheck;
  clock: Clock;
  log: Log;
  redact(text: string): string;
  /** Called when a request for the time has ended, also when it failed. */
  onResult(): void;
}

/** The time until the next request, unless the clock is set before. Milliseconds. */
const retryAfterMs = { unknown: 5000, contradicted: 30_000 };

export class ClockGate {
  readonly #options: GateOptions;
  readonly #createdAt: Instant;
  readonly #stopping = new AbortController();
  readonly #presence: Omit<Presence, "downtimes" | "behindMs">;
  #hasBeenOpen: boolean;
  /** When it was closed, by the monotonic clock; null while it is open. */
  #closedSince: number | null;
  #requesting: Promise<void> | null = null;
  /** How far the wall clock was ahead of the monotonic one at the last request, and when (monotonic) to send the next. */
  #lastRequest = { lead: Number.NaN, nextAt: 0 };
  /** The last problem that was logged, and its verdict; null if there was none. */
  #logged: { verdict: ClockVerdict; problem: string } | null = null;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#createdAt = instantOf(options.clock);
    const { wall } = this.#createdAt;
    this.#presence = { startedAt: wall, effectiveAt: wall, unconfirmed: { from: 0, to: 0 } };
    this.#hasBeenOpen = options.clockCheck.verdict === "confirmed";
    this.#closedSince = this.#hasBeenOpen ? null : this.#createdAt.monotonic;
  }

  /** Since when the program has been running, by the confirmed clock. */
  get presence(): Omit<Presence, "downtimes"> {
    const offset = this.#options.clockCheck.offset ?? 0;
    return { ...this.#presence, behindMs: offset > clockToleranceMs ? offset : 0 };
  }

  /** Why it is closed, as a sentence; empty while it is open, or while the first request has not ended. */
  get problem(): string {
    return this.#logged?.problem ?? "";
  }

  /** Resolves when the current request for the time has ended; null if there is none. */
  get requesting(): Promise<void> | null {
    return this.#requesting;
  }

  /** Returns whether the clock is confirmed at `now` (epoch ms); if not, requests the time of the exchange. */
  isOpen(now: number): boolean {
    const isConfirmed = this.#options.clockCheck.verdict === "confirmed";
    if (isConfirmed && this.#closedSince !== null) this.#open(now, this.#closedSince);
    if (!isConfirmed) {
      this.#closedSince ??= this.#options.clock.monotonic();
      this.#requestTime(now);
    }
    return isConfirmed;
  }

  /** Sends no more requests. */
  stop(): void {
    this.#stopping.abort();
  }

  #open(now: number, closedSince: number): void {
    const { clock, log } = this.#options;
    this.#presence.unconfirmed = { from: now - (clock.monotonic() - closedSince), to: now };
    this.#closedSince = null;
    this.#lastRequest = { lead: Number.NaN, nextAt: 0 };
    if (this.#logged !== null) log.info({}, "the exchange confirms this machine's clock; collecting again");
    this.#logged = null;
    if (this.#hasBeenOpen) return;
    this.#hasBeenOpen = true;
    this.#presence.startedAt = now - (clock.monotonic() - this.#createdAt.monotonic);
    this.#presence.effectiveAt = now;
  }

  #requestTime(now: number): void {
    const { client, clock, onResult } = this.#options;
    const { signal: stopping } = this.#stopping;
    const lead = now - clock.monotonic();
    const wasSet = !(Math.abs(lead - this.#lastRequest.lead) <= clockToleranceMs);
    if (this.#requesting || stopping.aborted || (!wasSet && clock.monotonic() < this.#lastRequest.nextAt)) return;
    this.#lastRequest.lead = lead;
    this.#requesting = withLimit((signal) => client.measureOffset(signal), stopping)
      .then(
        () => {},
        (error: unknown) => this.#logOnce(error),
      )
      .finally(() => {
        this.#requesting = null;
        if (!stopping.aborted) onResult();
      });
  }

  /** Logs why the clock is not confirmed, once for each verdict. */
  #logOnce(error: unknown): void {
    const { clockCheck, clock, log, redact } = this.#options;
    const { verdict } = clockCheck;
    if (this.#stopping.signal.aborted || verdict === "confirmed") return;
    this.#lastRequest.nextAt = clock.monotonic() + retryAfterMs[verdict];
    if (this.#logged?.verdict === verdict) return;
    const what =
      verdict === "contradicted" ? "contradicts this machine's clock" : "has not confirmed this machine's clock";
    const why = redact(error instanceof Error ? error.message : String(error));
    this.#logged = { verdict, problem: `nothing is due: the exchange ${what}: ${why}` };
    log.error({ clock: verdict }, this.#logged.problem);
  }
}
