/** What makes the program look at the clock: once a second, whatever the clock does. */
import nodeCron, { type ScheduledTask } from "node-cron";
import type { Clock } from "../core/clock.ts";

/** Without a beat for so long, the wall clock was set back and the task waits for a second that is far away. Milliseconds. */
const patience = 2500;

/**
 * Calls `tick` every second by node-cron in UTC. Each beat is a task of its own, for one date: a task that stood for every
 * second would walk through each second of a night's sleep before it beat again, and after the clock was set
 * back it would be silent until the old time came. The monotonic clock notices the silence.
 */
export function everySecond(tick: () => void, clock: Clock): { stop(): void } {
  let task: ScheduledTask | null = null;
  let beatAt = clock.monotonic();
  const arm = () => {
    void task?.destroy();
    task = nodeCron.schedule(patternOf(new Date(Date.now() + 1000)), beat, {
      timezone: "Etc/UTC",
      missedExecutionTolerance: Number.POSITIVE_INFINITY,
      suppressMissedWarning: true,
    });
  };
  function beat(): void {
    beatAt = clock.monotonic();
    arm();
    tick();
  }
  arm();
  const watch = setInterval(() => {
    if (clock.monotonic() - beatAt >= patience) beat();
  }, 1000);
  return {
    stop() {
      clearInterval(watch);
      void task?.destroy();
    },
  };
}

/** The second in which `date` lies, and no other second of that year. */
const patternOf = (date: Date): string =>
  [date.getUTCSeconds(), date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1, "*"].join(
    " ",
  );
