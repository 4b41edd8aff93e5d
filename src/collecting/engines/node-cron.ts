/** The engine of a single process: node-cron, once a second in UTC. See docs/decisions/0001. */
import nodeCron, { type ScheduledTask } from "node-cron";
import type { Clock } from "../../core/clock.ts";
import type { Engine } from "./engine.ts";

/** After this long without a call, the wall clock was set back and the task waits for a time far ahead. Milliseconds. */
const maxSilenceMs = 2500;

/**
 * Schedules each call as a task of its own, for one date. A task for every second would, after a sleep, go through each missed second
 * before it called again, and after the clock was set back it would not call until the old time was reached. A watchdog by the
 * monotonic clock detects that.
 */
export class NodeCronEngine implements Engine {
  readonly #clock: Pick<Clock, "monotonic">;
  #task: ScheduledTask | null = null;
  #watchdog: NodeJS.Timeout | undefined;
  #calledAt = 0;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  start(wake: () => void): void {
    const call = () => {
      this.#calledAt = this.#clock.monotonic();
      void this.#task?.destroy();
      this.#task = nodeCron.schedule(patternOf(new Date(Date.now() + 1000)), call, {
        timezone: "Etc/UTC",
        missedExecutionTolerance: Number.POSITIVE_INFINITY,
        suppressMissedWarning: true,
      });
      wake();
    };
    this.#watchdog = setInterval(() => {
      if (this.#clock.monotonic() - this.#calledAt >= maxSilenceMs) call();
    }, 1000);
    call();
  }

  stop(): void {
    clearInterval(this.#watchdog);
    void this.#task?.destroy();
  }
}

/** Returns the pattern that matches the second of `date` and no other second of that year. */
const patternOf = (date: Date): string =>
  [date.getUTCSeconds(), date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1, "*"].join(
    " ",
  );
