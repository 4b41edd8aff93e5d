import { setMaxListeners } from "node:events";
import { setTimeout as pass } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { addresses, perMinutePerAddress } from "../../src/bitget/addresses.ts";
import { Limiter } from "../../src/bitget/limiter.ts";
import { type Clock, SimulatedClock, systemClock } from "../../src/clock.ts";
import { answer, clientOf, send, startServer, within } from "./support.ts";

const never = new AbortController().signal;
setMaxListeners(0, never);
const spot = addresses["v2/spot-assets"];
const positions = addresses["v2/positions"];
const accounts = addresses["v2/mix-accounts"];
const tickers = addresses["v2/tickers"];

function limiterOf(clock: Clock = systemClock): Limiter {
  const limiter = new Limiter(clock);
  onTestFinished(() => limiter.close());
  return limiter;
}

/** Milliseconds of waiting, or "longer" than `ms`. */
async function wait(limiter: Limiter, name: string | null, address: typeof spot, ms = 400): Promise<number | "longer"> {
  const start = performance.now();
  const signal = AbortSignal.timeout(ms);
  return limiter.take(name, address, signal).then(
    (done) => {
      done();
      return Math.round(performance.now() - start);
    },
    () => "longer",
  );
}

it("an exchange that counts five requests in any second never counts six", async () => {
  const server = await startServer((_request, response) => {
    setTimeout(() => send(response, 200, answer([])), Math.random() * 100);
  });
  const client = clientOf(server.url);
  const options = within(20_000);

  await Promise.all(Array.from({ length: 40 }, () => client.ask(positions, { productType: "USDT-FUTURES" }, options)));

  const arrivals = server.seen.map((request) => request.at).sort((a, b) => a - b);
  const most = Math.max(...arrivals.map((start) => arrivals.filter((at) => at >= start && at < start + 1000).length));
  expect([arrivals.length, most]).toEqual([40, 5]);
  expect(options.tally).toEqual({ requests: 40, retries: 0, rateLimited: 0 });
});

it("each account has its own count, and each address; public addresses are counted together", async () => {
  const limiter = limiterOf();
  await Promise.all(Array.from({ length: 5 }, () => limiter.take("main", positions, never)));
  await Promise.all(Array.from({ length: 20 }, () => limiter.take("main", tickers, never)));

  const waits = await Promise.all([
    wait(limiter, "main", positions),
    wait(limiter, "hedge", positions),
    wait(limiter, "main", spot),
    wait(limiter, "hedge", tickers),
  ]);

  expect(waits).toEqual(["longer", expect.any(Number), expect.any(Number), "longer"]);
});

it("what is left to be asked is told per address and for the machine, and is nothing during a pause", async () => {
  const limiter = limiterOf();
  await wait(limiter, "main", positions);
  await wait(limiter, null, tickers);
  expect(limiter.budget()).toEqual([
    { account: "main", path: positions.path, requests: 4 },
    { account: null, path: tickers.path, requests: tickers.perSecond - 1 },
    { account: null, path: null, requests: perMinutePerAddress - 2 },
  ]);
  limiter.pause("main", positions, 1000);
  expect(limiter.budget()[0]).toEqual({ account: "main", path: positions.path, requests: 0 });
});

it("a pause holds back that address of that account, queued requests included, and nothing else", async () => {
  const limiter = limiterOf();
  const queued = wait(limiter, "main", spot);
  limiter.pause("main", spot, 60_000);

  const waits = await Promise.all([
    queued,
    wait(limiter, "main", spot),
    wait(limiter, "hedge", spot),
    wait(limiter, "main", positions),
  ]);

  expect(waits).toEqual(["longer", "longer", expect.any(Number), expect.any(Number)]);
});

it("a pause that is prolonged while it is waited for is waited for to its end", async () => {
  const limiter = limiterOf();
  limiter.pause("main", spot, 100);
  const waited = wait(limiter, "main", spot, 2000);
  await pass(50);
  limiter.pause("main", spot, 300);

  expect(await waited).toBeGreaterThanOrEqual(340);
});

it("who gives up during a pause keeps no permit", async () => {
  const limiter = limiterOf();
  limiter.pause("main", positions, 200);
  await Promise.all(Array.from({ length: 5 }, () => wait(limiter, "main", positions, 100)));

  expect(await wait(limiter, "main", positions, 1000)).toBeLessThan(300);
});

it("after refusals of three addresses in a row nothing leaves for five minutes", async () => {
  const clock = new SimulatedClock(Date.now());
  const limiter = limiterOf(clock);
  for (const address of [spot, positions, accounts]) limiter.pause("main", address, 1000);

  const early = wait(limiter, "hedge", tickers);
  clock.jump(clock.now() + 290_000);
  const refused = await early;
  clock.jump(clock.now() + 11_000);

  expect([refused, await wait(limiter, "hedge", tickers)]).toEqual(["longer", expect.any(Number)]);
});

it("refusals of one address, or with a good answer between them, are no sign of that", async () => {
  const limiter = limiterOf();
  for (const address of [spot, spot, spot, positions]) limiter.pause("main", address, 1000);
  limiter.accepted();
  for (const address of [accounts, accounts]) limiter.pause("main", address, 1000);

  expect(await wait(limiter, "main", tickers)).toEqual(expect.any(Number));
});

it("a request that queued for seconds is signed when it leaves", async () => {
  const server = await startServer((_request, response) => send(response, 200, answer({})));
  const client = clientOf(server.url);
  const options = within(10_000);

  // One a second: the third leaves two seconds after it was asked for.
  await Promise.all([1, 2, 3].map(() => client.ask(addresses["v2/equity"], {}, options)));

  const stamps = server.seen.map((request) => Number(request.headers["access-timestamp"]));
  const [first = 0, , third = 0] = stamps;
  expect(third - first).toBeGreaterThanOrEqual(2000);
});

it("closing leaves no timer behind", async () => {
  const limiter = new Limiter(systemClock);
  const done = await limiter.take("main", spot, never);
  done();

  limiter.close();
  await pass(50);

  expect(process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length).toBeLessThanOrEqual(1);
});
