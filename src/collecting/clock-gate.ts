/**
 * Keeps the schedule waiting while the exchange has not confirmed this machine's clock as it stands: after a start, a sleep or a
 * step of the clock it is asked first. What a wrong clock calls due would stay in the ledger for ever.
 */

import type { Client } from "../bitget/client.ts";
import { type ClockCheck, clockTolerance, type Verdict } from "../bitget/clock-check.ts";
import { limitTo } from "../core/abort.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";

export interface ClockGate {
  /** True where the clock is confirmed. Where it is not, the exchange is asked, and `onAnswer` is called when it has answered or failed. */
  isOpen(now: number): boolean;
  /** When this program was there first, by the clock as it was confirmed. Epoch ms. */
  startedAt(): number;
  /** From when on schedules that are new are in force: the start, or the first confirmation where that came later. Epoch ms. */
  effectiveAt(): number;
  /** By how much the exchange's clock is ahead, where ours is too slow to begin a history by; else 0. Milliseconds. */
  behind(): number;
  /** Whether the gate was closed at this instant, by the clock as it is now. */
  wasClosedAt(instant: number): boolean;
  /** Why it is closed, a sentence for people; empty while it is open, or as long as the exchange may still answer. */
  problem(): string;
  /** Resolves when nobody is being asked; null where that is so. */
  asking(): Promise<void> | null;
  /** Asks no more. */
  stop(): void;
}

export interface GateOptions {
  client: Pick<Client, "measureOffset">;
  clockCheck: ClockCheck;
  clock: Clock;
  log: Log;
  redact(text: string): string;
  onAnswer(): void;
}

/** For asking the exchange for its time. Milliseconds. */
const askingLimit = 30_000;

/** Until it is asked again, unless the clock is set before. Milliseconds. */
const againAfter = { unknown: 5000, contradicted: 30_000 };

export function createClockGate({ client, clockCheck, clock, log, redact, onAnswer }: GateOptions): ClockGate {
  const made = { wall: clock.now(), monotonic: clock.monotonic() };
  const stopping = new AbortController();
  let startedAt = made.wall;
  let effectiveAt = made.wall;
  let begun = clockCheck.verdict === "confirmed";
  /** Since when it is closed, by the monotonic clock; null while it is open. */
  let closedSince: number | null = begun ? null : made.monotonic;
  let lastClosed = { from: 0, to: 0 };
  let asking: Promise<void> | null = null;
  /** How the clock stood when it was asked about, and when (monotonic) to ask again. */
  let asked = { lead: Number.NaN, againAt: 0 };
  /** What was logged last, and of which verdict; null where nothing was wrong. */
  let said: { verdict: Verdict; problem: string } | null = null;

  function open(now: number, since: number): void {
    lastClosed = { from: now - (clock.monotonic() - since), to: now };
    closedSince = null;
    asked = { lead: Number.NaN, againAt: 0 };
    if (said !== null) log.info({}, "the exchange confirms this machine's clock: slots are due again");
    said = null;
    if (begun) return;
    begun = true;
    startedAt = now - (clock.monotonic() - made.monotonic);
    effectiveAt = now;
  }

  function ask(now: number): void {
    const lead = now - clock.monotonic();
    const wasSet = !(Math.abs(lead - asked.lead) <= clockTolerance);
    if (asking || stopping.signal.aborted || (!wasSet && clock.monotonic() < asked.againAt)) return;
    asked.lead = lead;
    const { signal, clear } = limitTo(askingLimit, stopping.signal);
    asking = client
      .measureOffset(signal)
      .then(() => {}, sayWhy)
      .finally(() => {
        clear();
        asking = null;
        if (!stopping.signal.aborted) onAnswer();
      });
  }

  /** Once for each reason. */
  function sayWhy(error: unknown): void {
    const { verdict } = clockCheck;
    if (stopping.signal.aborted || verdict === "confirmed") return;
    asked.againAt = clock.monotonic() + againAfter[verdict];
    if (said?.verdict === verdict) return;
    const what =
      verdict === "contradicted" ? "contradicts this machine's clock" : "has not confirmed this machine's clock";
    const why = redact(error instanceof Error ? error.message : String(error));
    said = { verdict, problem: `nothing is due: the exchange ${what}: ${why}` };
    log.error({ clock: verdict }, said.problem);
  }

  return {
    isOpen(now) {
      const isConfirmed = clockCheck.verdict === "confirmed";
      if (isConfirmed && closedSince !== null) open(now, closedSince);
      if (!isConfirmed) {
        closedSince ??= clock.monotonic();
        ask(now);
      }
      return isConfirmed;
    },
    startedAt: () => startedAt,
    effectiveAt: () => effectiveAt,
    behind() {
      const offset = clockCheck.offset ?? 0;
      return offset > clockTolerance ? offset : 0;
    },
    wasClosedAt: (instant) => instant > lastClosed.from && instant <= lastClosed.to,
    problem: () => said?.problem ?? "",
    asking: () => asking,
    stop: () => stopping.abort(),
  };
}
