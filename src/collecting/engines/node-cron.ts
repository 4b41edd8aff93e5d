/** The engine of a single process: node-cron, once a second in UTC. See docs/decisions/0001. */
import nodeCron, { type ScheduledTask } from "node-cron";
import type { Clock } from "../../core/clock.ts";
import type { Engine } from "./engine.ts";

/** After so long without a call the wall clock was set back, and the task waits for a second that is far away. Milliseconds. */
const maxSilenceMs = 2500;

/**
 * Each call has a task of its own, for one date: a task that stood for every second would walk through each second of a night's
 * sleep before it called again, and after the clock was set back it would be silent until the old time came. The monotonic
 * clock notices the silence.
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

/** The second in which `date` lies, and no other second of that year. */
const patternOf = (date: Date): string =>
  [date.getUTCSeconds(), date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1, "*"].join(
    " ",
  );
