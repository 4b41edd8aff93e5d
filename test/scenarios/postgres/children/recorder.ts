/**
 * Records with the settings of its environment on a clock that the test sets: evaluates and runs at each time (epoch ms) that it is sent
 * as a line, and prints its metrics as one line of JSON when all of it is done. Argument: the instant at which its clock begins.
 */
import { createInterface } from "node:readline";
import { observeRuns, openApp } from "../../../../src/app.ts";
import { Scheduler } from "../../../../src/collecting/scheduler.ts";
import { loadConfig } from "../../../../src/settings/config.ts";
import { SettableClock } from "../../../support/world.ts";

const clock = new SettableClock(Number(process.argv[2]));
const app = await openApp(loadConfig(process.env), clock);
const metrics = observeRuns(app);
await app.publicSession.client.requireClock(new AbortController().signal);
const scheduler = await Scheduler.open({
  ...app,
  onFatal(error) {
    throw error;
  },
});
const evaluated = async () => {
  app.alerts.tick();
  await app.alerts.idle();
};
console.log(JSON.stringify(""));
for await (const line of createInterface({ input: process.stdin })) {
  clock.advanceTo(Number(line));
  await evaluated();
  scheduler.tick();
  await scheduler.idle();
  await evaluated();
  console.log(JSON.stringify(await metrics.text()));
}
await scheduler.stop();
await app.alerts.stop();
await app.store.leave?.();
app.close();
