/**
 * Runs the real scheduler, client and store on a clock that the parent process moves. While a run waits for a timer and
 * nothing else is active, time also advances by itself to the next alarm.
 */
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { ClientRequest } from "node:http";
import { openApp, preflight } from "../../../src/app.ts";
import { Scheduler } from "../../../src/collecting/scheduler.ts";
import { loadConfig } from "../../../src/settings/config.ts";
import { ManualClock } from "../clock.ts";
import type { Order, Reply, StartOptions } from "../daemon.ts";
import { type KillPoint, killAtNextWrite } from "./killable.ts";
import { killAtNextCommit } from "./killable-postgres.ts";

/** Consecutive idle checks, a millisecond apart, after which the program is considered to wait for the clock. */
const looks = 15;

/** Simulated time that the other runs may need while responses are withheld, ms. */
const patience = 5000;

const [begin] = (await once(process, "message")) as [StartOptions];
const clock = new ManualClock(begin.now);
const reply = (message: Reply) => process.send?.(message);
arm(begin.killPoint);

// Almost constant jitter, so that simulations with the same seed wait equally long. Every value is unique, because jobs are named by it.
let drawn = 0;
Math.random = () => {
  drawn += 1;
  return 0.5 + drawn * 1e-9;
};

let onAdvanced = (_ms: number): void => {};

process.on("message", (message: Order | { advanced: number } | { held: number } | { killPoint: KillPoint }) => {
  if ("advanced" in message) onAdvanced(message.advanced);
  else if ("killPoint" in message) arm(message.killPoint);
  else if ("kind" in message) void obey(message);
  else held = message.held;
});

/** The number of requests in flight. */
let asking = 0;
subscribe("http.client.request.start", (message) => {
  asking += 1;
  (message as { request: ClientRequest }).request.once("close", () => {
    asking -= 1;
  });
});

/** The number of withheld responses. */
let held = 0;

/** Waits for `work`, advancing the clock whenever it only waits for time. Returns false as soon as it waits for withheld responses. */
async function settle(work: Promise<unknown>): Promise<boolean> {
  let over = false;
  let elapsed = 0;
  void work.finally(() => {
    over = true;
  });
  while (!over) {
    for (let quiet = 0; quiet < looks && !over; quiet = isBusy() ? 0 : quiet + 1)
      await new Promise((resolve) => setTimeout(resolve, 1));
    const ms = clock.untilAlarm();
    if (over || ms === null) continue;
    if (asking > 0 && elapsed + ms > patience) {
      reply("held");
      return false;
    }
    const granted = new Promise<number>((resolve) => {
      onAdvanced = resolve;
    });
    reply({ advance: ms });
    const advanced = await granted;
    elapsed += advanced;
    clock.advance(advanced);
  }
  await work;
  return true;
}

/** Returns whether requests other than the withheld ones are in flight, or a real timer (a queue) is pending. */
const isBusy = (): boolean => asking > held || process.getActiveResourcesInfo().includes("Timeout");

const app = await openApp(loadConfig(begin.settings), clock);
await settle(preflight(app));
const scheduler = await Scheduler.open({
  ...app,
  onFatal(error) {
    throw error;
  },
});

async function tick(): Promise<void> {
  scheduler.tick();
  if (!(await settle(scheduler.idle()))) return;
  app.dailyReports?.tick();
  await app.dailyReports?.idle();
  reply("done");
}

async function stop(): Promise<void> {
  await scheduler.stop();
  await app.dailyReports?.stop();
  app.close();
  process.disconnect();
}

function obey(order: Order): Promise<void> {
  if (order.kind === "stop") return stop();
  if (order.kind === "live") clock.advance(order.ms);
  else clock.step(order.ms);
  held = order.kind === "live" ? order.held : 0;
  return tick();
}

function arm(at: KillPoint | null): void {
  if (begin.settings.DATABASE_URL?.startsWith("postgres:")) killAtNextCommit(at);
  else killAtNextWrite(at);
}

// Without its parent the process has no clock.
process.once("disconnect", () => process.exit());
await tick();
