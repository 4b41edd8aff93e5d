/**
 * The collector on a clock that its parent moves: the real scheduler, client and store. Time passes when the parent says
 * so, and, while a run waits for it, by itself: as soon as nothing else is going on, up to the next alarm.
 */
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { ClientRequest } from "node:http";
import { openApp, preflight } from "../../../src/app.ts";
import { Scheduler } from "../../../src/collecting/scheduler.ts";
import { loadConfig } from "../../../src/settings/config.ts";
import { StillClock } from "../clock.ts";
import type { Begin, Order, Said } from "../daemon.ts";
import { dieWhen } from "./mortal.ts";

/** So many looks at a quiet program, a millisecond apart, before it is believed to wait for the clock. */
const looks = 15;

/** With answers held back, what the other runs may need. Milliseconds. */
const patience = 5000;

const [begin] = (await once(process, "message")) as [Begin];
const clock = new StillClock(begin.now);
const say = (said: Said) => process.send?.(said);
dieWhen(begin.dieAt);

// Back-off almost without chance: two lives of one seed wait equally long. Never twice the same, for jobs are named by it.
let drawn = 0;
Math.random = () => {
  drawn += 1;
  return 0.5 + drawn * 1e-9;
};

/** Requests without an answer yet. */
let asking = 0;
subscribe("http.client.request.start", (message) => {
  asking += 1;
  (message as { request: ClientRequest }).request.once("close", () => {
    asking -= 1;
  });
});

/** Waits until it is over, moving the clock wherever that is all it waits for. `held`: answers that are kept back. */
async function settle(work: Promise<unknown>, held = 0): Promise<void> {
  let over = false;
  let lived = 0;
  void work.finally(() => {
    over = true;
  });
  while (!over) {
    for (let quiet = 0; quiet < looks && !over; quiet = isBusy(held) ? 0 : quiet + 1)
      await new Promise((resolve) => setTimeout(resolve, 1));
    const ms = clock.untilAlarm();
    if (over || ms === null) continue;
    if (asking > 0 && lived + ms > patience) {
      say("held");
      break;
    }
    lived += ms;
    const advanced = new Promise((resolve) => process.once("message", resolve));
    say({ advance: ms });
    await advanced;
    clock.live(ms);
  }
  await work;
}

/** Something is asked beyond the answers kept back, or moves up in a queue, which takes real time. */
const isBusy = (held: number): boolean => asking > held || process.getActiveResourcesInfo().includes("Timeout");

const app = await openApp(loadConfig(begin.settings), clock);
await settle(preflight(app));
const scheduler = await Scheduler.open({
  ...app,
  onFatal(error) {
    throw error;
  },
});

async function tick(held = 0): Promise<void> {
  scheduler.tick();
  await settle(scheduler.idle(), held);
  app.dailyReports?.tick();
  await app.dailyReports?.idle();
  say("done");
}

async function stop(): Promise<void> {
  await scheduler.stop();
  await app.dailyReports?.stop();
  app.close();
  process.disconnect();
}

function obey(order: Order): Promise<void> {
  if (order.kind === "stop") return stop();
  if (order.kind === "live") clock.live(order.ms);
  else clock.step(order.ms);
  return tick(order.kind === "live" ? order.held : 0);
}

process.on("message", (message: Order | "advanced" | { dieAt: "unwritten" | "written" }) => {
  if (message === "advanced") return;
  if ("dieAt" in message) dieWhen(message.dieAt);
  else void obey(message);
});
// With nobody left to tell it the time, it has nothing to live for.
process.once("disconnect", () => process.exit());
await tick();
