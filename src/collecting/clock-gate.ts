/**
 * Keeps the schedule waiting while the exchange has not confirmed this machine's clock as it stands: after a start, a sleep or a
 * step of the clock its time is requested first. What is due by a wrong clock would stay in the run ledger forever.
 */

import type { Client } from "../bitget/client.ts";
import { type ClockCheck, clockTolerance, type Verdict } from "../bitget/clock-check.ts";
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
  /** Is called when the exchange has answered, or failed to. */
  onResult(): void;
}

/** Until it is asked again, unless the clock is set before. Milliseconds. */
const retryAfterMs = { unknown: 5000, contradicted: 30_000 };

export class ClockGate {
  readonly #options: GateOptions;
  readonly #made: Instant;
  readonly #stopping = new AbortController();
  readonly #presence: Omit<Presence, "downtimes" | "behindMs">;
  #hasBeenOpen: boolean;
  /** Since when it is closed, by the monotonic clock; null while it is open. */
  #closedSince: number | null;
  #asking: Promise<void> | null = null;
  /** How far the wall clock was ahead of the monotonic one when the exchange was asked, and when (monotonic) to ask again. */
  #asked = { lead: Number.NaN, againAt: 0 };
  /** What was logged last, and of which verdict; null where nothing was wrong. */
  #logged: { verdict: Verdict; problem: string } | null = null;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#made = instantOf(options.clock);
    const { wall } = this.#made;
    this.#presence = { startedAt: wall, effectiveAt: wall, unconfirmed: { from: 0, to: 0 } };
    this.#hasBeenOpen = options.clockCheck.verdict === "confirmed";
    this.#closedSince = this.#hasBeenOpen ? null : this.#made.monotonic;
  }

  /** What is known of the program's time, by the clock as it was confirmed. */
  get presence(): Omit<Presence, "downtimes"> {
    const offset = this.#options.clockCheck.offset ?? 0;
    return { ...this.#presence, behindMs: offset > clockTolerance ? offset : 0 };
  }

  /** Why it is closed, a sentence for people; empty while it is open, or as long as the exchange may still answer. */
  get problem(): string {
    return this.#logged?.problem ?? "";
  }

  /** Resolves when the exchange has been asked; null where it is not being asked. */
  get requesting(): Promise<void> | null {
    return this.#asking;
  }

  /** Returns true where the clock is confirmed as it stands at `now` (epoch ms); asks the exchange where it is not. */
  isOpen(now: number): boolean {
    const isConfirmed = this.#options.clockCheck.verdict === "confirmed";
    if (isConfirmed && this.#closedSince !== null) this.#open(now, this.#closedSince);
    if (!isConfirmed) {
      this.#closedSince ??= this.#options.clock.monotonic();
      this.#ask(now);
    }
    return isConfirmed;
  }

  /** Asks no more. */
  stop(): void {
    this.#stopping.abort();
  }

  #open(now: number, closedSince: number): void {
    const { clock, log } = this.#options;
    this.#presence.unconfirmed = { from: now - (clock.monotonic() - closedSince), to: now };
    this.#closedSince = null;
    this.#asked = { lead: Number.NaN, againAt: 0 };
    if (this.#logged !== null) log.info({}, "the exchange confirms this machine's clock: slots are due again");
    this.#logged = null;
    if (this.#hasBeenOpen) return;
    this.#hasBeenOpen = true;
    this.#presence.startedAt = now - (clock.monotonic() - this.#made.monotonic);
    this.#presence.effectiveAt = now;
  }

  #ask(now: number): void {
    const { client, clock, onResult } = this.#options;
    const { signal: stopping } = this.#stopping;
    const lead = now - clock.monotonic();
    const wasSet = !(Math.abs(lead - this.#asked.lead) <= clockTolerance);
    if (this.#asking || stopping.aborted || (!wasSet && clock.monotonic() < this.#asked.againAt)) return;
    this.#asked.lead = lead;
    this.#asking = withLimit((signal) => client.measureOffset(signal), stopping)
      .then(
        () => {},
        (error: unknown) => this.#logOnce(error),
      )
      .finally(() => {
        this.#asking = null;
        if (!stopping.aborted) onResult();
      });
  }

  /** Logs why the clock is not confirmed, once for each verdict. */
  #logOnce(error: unknown): void {
    const { clockCheck, clock, log, redact } = this.#options;
    const { verdict } = clockCheck;
    if (this.#stopping.signal.aborted || verdict === "confirmed") return;
    this.#asked.againAt = clock.monotonic() + retryAfterMs[verdict];
    if (this.#logged?.verdict === verdict) return;
    const what =
      verdict === "contradicted" ? "contradicts this machine's clock" : "has not confirmed this machine's clock";
    const why = redact(error instanceof Error ? error.message : String(error));
    this.#logged = { verdict, problem: `nothing is due: the exchange ${what}: ${why}` };
    log.error({ clock: verdict }, this.#logged.problem);
  }
}
