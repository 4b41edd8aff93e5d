/** When a process lets others run its slots because the exchange does not respond to it, and until when. */
import { expect, it, onTestFinished } from "vitest";
import { ExchangeContact } from "../../../src/collecting/sharing/exchange-contact.ts";
import { createLog } from "../../../src/core/log.ts";
import { answer, clientOf, fastClock, send, startServer } from "../../bitget/support.ts";
import { until } from "../../support/wait.ts";

const run = (slot: number, requests: number, responses: number) => ({ slot, requests, responses });

/** A process whose clock is fast, and an exchange that breaks connections until it is `awake`. */
async function createWorld() {
  const world = { isAwake: false, pauses: [] as number[], logged: [] as string[] };
  const clock = fastClock(2000);
  const { url } = await startServer((_request, response) => {
    if (world.isAwake) send(response, 200, answer({ serverTime: String(clock.now()) }));
    else response.socket?.destroy();
  });
  const log = createLog({ level: "info", format: "json", secrets: [], write: (line) => world.logged.push(line) });
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const sharing = { pause: (ms: number) => world.pauses.push(ms) };
  const client = clientOf(url, { clock });
  const contact = new ExchangeContact({ sharing, client, clock, log, stopping: stopping.signal });
  return { world, contact };
}

it.each([
  ["three slots without a response", [run(1, 2, 0), run(2, 2, 0), run(3, 2, 0)], true],
  ["three runs of one slot, which may be one interruption", [run(1, 2, 0), run(1, 2, 0), run(1, 2, 0)], false],
  ["a response in between, a refusal for example", [run(1, 2, 0), run(2, 2, 0), run(2, 3, 1), run(3, 2, 0)], false],
  ["runs that needed no request", [run(1, 0, 0), run(2, 0, 0), run(3, 0, 0), run(4, 2, 0)], false],
])("%s", async (_what, runs, isPaused) => {
  const { world, contact } = await createWorld();
  for (const one of runs) contact.onEnded(one);
  expect(world.pauses.length > 0).toBe(isPaused);
});

it("it asks the exchange until it responds, and stays paused meanwhile", async () => {
  const { world, contact } = await createWorld();
  for (const slot of [1, 2, 3, 4]) contact.onEnded(run(slot, 1, 0));
  expect(world.pauses).toHaveLength(1);
  await until(() => world.pauses.length >= 3);
  world.isAwake = true;
  await until(() => world.logged.some((line) => line.includes("responds to this machine again")));
  // It begins to count again.
  const { length } = world.pauses;
  for (const slot of [5, 6]) contact.onEnded(run(slot, 1, 0));
  expect(world.pauses).toHaveLength(length);
  contact.onEnded(run(7, 1, 0));
  expect(world.pauses).toHaveLength(length + 1);
});
