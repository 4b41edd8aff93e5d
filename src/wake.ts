/** What makes the program look at the clock: once a second, whatever the clock does. */
import nodeCron from "node-cron";
import type { Clock } from "./clock.ts";

/**
 * node-cron in UTC, watched on the monotonic clock: started with a wrong clock, or after the clock was set back, it stays
 * silent until the old time comes again, so a task that misses its seconds is made anew.
 */
export function everySecond(tick: () => void, clock: Clock): { stop(): void } {
  const patience = 2500;
  let beatAt = clock.monotonic();
  const beat = () => {
    beatAt = clock.monotonic();
    tick();
  };
  const make = () => nodeCron.schedule("* * * * * *", beat, { timezone: "Etc/UTC" });
  let task = make();
  const watch = setInterval(() => {
    if (clock.monotonic() - beatAt < patience) return;
    void task.destroy();
    task = make();
    beat();
  }, 1000);
  return {
    stop() {
      clearInterval(watch);
      void task.destroy();
    },
  };
}
