import { setMaxListeners } from "node:events";
import { afterEach, expect, it, onTestFinished, vi } from "vitest";
import { maxRequestsPerMinutePerIp } from "../../../src/bitget/endpoints.ts";
import { Limiter } from "../../../src/bitget/limits/rate-limiter.ts";
import { type Clock, SimulatedClock, systemClock } from "../../../src/core/clock.ts";
import { endpointNamed } from "../../../src/datasets/endpoints.ts";
import { answer, clientOf, fastClock, send, startServer, within } from "../support.ts";

const never = new AbortController().signal;
setMaxListeners(0, never);
const spot = endpointNamed("v2/spot-assets");
const positions = endpointNamed("v2/positions");
const accounts = endpointNamed("v2/mix-accounts");
const tickers = endpointNamed("v2/tickers");

function limiterOf(clock: Clock = systemClock): Limiter {
  const limiter = new Limiter(clock);
  onTestFinished(() => limiter.close());
  return limiter;
}

afterEach(() => {
  vi.useRealTimers();
});

/** From here on time passes in `lived` alone. */
const simulateTime = (): void => {
  vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout", "clearTimeout"] });
};

/** Milliseconds of waiting, or "longer" than `ms`. */
async function wait(limiter: Limiter, name: string | null, address: typeof spot, ms = 400): Promise<number | "longer"> {
  const start = performance.now();
  const impatience = new AbortController();
  setTimeout(() => impatience.abort(), ms);
  return limiter.take(name, address, impatience.signal).then(
    (done) => {
      done();
      return Math.round(performance.now() - start);
    },
    () => "longer",
  );
}

/** Lives through `ms`, long enough for the promise, and gives what it gives. */
async function lived<T>(promise: Promise<T>, ms = 3000): Promise<T> {
  await vi.advanceTimersByTimeAsync(ms);
  return promise;
}

/** So many seconds pass in one, for what has to wait for a real exchange. */
const speed = 5;

it("an exchange that counts five requests in any second never counts six", async () => {
  const server = await startServer((_request, response) => {
    setTimeout(() => send(response, 200, answer([])), Math.random() * 20);
  });
  const client = clientOf(server.url, { clock: fastClock(speed) });
  const options = within(600_000);

  await Promise.all(Array.from({ length: 40 }, () => client.get(positions, { productType: "USDT-FUTURES" }, options)));

  const arrivals = server.seen.map((request) => request.at).sort((a, b) => a - b);
  const most = Math.max(
    ...arrivals.map((start) => arrivals.filter((at) => at >= start && at < start + 1000 / speed - 2).length),
  );
  expect([arrivals.length, most]).toEqual([40, 5]);
  expect(options.tally).toEqual({ requests: 40, retries: 0, rateLimited: 0, responses: 40 });
});

it("requests are counted per account and endpoint; public endpoints for all accounts together", async () => {
  simulateTime();
  const limiter = limiterOf();
  await lived(Promise.all(Array.from({ length: 5 }, () => limiter.take("main", positions, never))), 10);
  await lived(Promise.all(Array.from({ length: 20 }, () => limiter.take("main", tickers, never))), 10);

  const waits = await lived(
    Promise.all([
      wait(limiter, "main", positions),
      wait(limiter, "hedge", positions),
      wait(limiter, "main", spot),
      wait(limiter, "hedge", tickers),
    ]),
  );

  expect(waits).toEqual(["longer", expect.any(Number), expect.any(Number), "longer"]);
});

it("the budget is reported per endpoint and per IP address, and is zero during a pause", async () => {
  simulateTime();
  const limiter = limiterOf();
  await lived(wait(limiter, "main", positions), 10);
  await lived(wait(limiter, null, tickers), 10);
  expect(limiter.budget()).toEqual([
    { account: "main", path: positions.path, requests: 4 },
    { account: null, path: tickers.path, requests: tickers.perSecond - 1 },
    { account: null, path: null, address: null, requests: maxRequestsPerMinutePerIp - 2 },
  ]);
  limiter.pause("main", positions, 1000);
  expect(limiter.budget()[0]).toEqual({ account: "main", path: positions.path, requests: 0 });
});

it("a pause delays only that endpoint of that account, queued requests included", async () => {
  simulateTime();
  const limiter = limiterOf();
  const queued = wait(limiter, "main", spot);
  limiter.pause("main", spot, 60_000);

  const waits = await lived(
    Promise.all([queued, wait(limiter, "main", spot), wait(limiter, "hedge", spot), wait(limiter, "main", positions)]),
  );

  expect(waits).toEqual(["longer", "longer", expect.any(Number), expect.any(Number)]);
});

it("a pause that is extended while a request waits is awaited to its end", async () => {
  simulateTime();
  const limiter = limiterOf();
  limiter.pause("main", spot, 100);
  const waited = wait(limiter, "main", spot, 2000);
  await vi.advanceTimersByTimeAsync(50);
  limiter.pause("main", spot, 300);

  expect(await lived(waited)).toBe(350);
});

it("a request that is aborted during a pause keeps no permit", async () => {
  simulateTime();
  const limiter = limiterOf();
  limiter.pause("main", positions, 200);
  await lived(Promise.all(Array.from({ length: 5 }, () => wait(limiter, "main", positions, 100))), 100);

  expect(await lived(wait(limiter, "main", positions, 1000))).toBe(100);
});

it("after refusals of three endpoints in a row for several users, nothing is sent for five minutes", async () => {
  simulateTime();
  const clock = new SimulatedClock(Date.now());
  const limiter = limiterOf(clock);
  for (const address of [spot, positions]) limiter.pause("main", address, 1000);
  limiter.pause("third", accounts, 1000);

  const early = wait(limiter, "hedge", tickers);
  clock.jump(clock.now() + 290_000);
  const refused = await lived(early);
  clock.jump(clock.now() + 11_000);

  expect([refused, await lived(wait(limiter, "hedge", tickers))]).toEqual(["longer", expect.any(Number)]);
});

it("refusals of one user in a row pause the keys of that user only, for five minutes", async () => {
  simulateTime();
  const clock = new SimulatedClock(Date.now());
  const limiter = limiterOf(clock);
  for (const [name, user] of [
    ["main", "7"],
    ["copy", "7"],
    ["hedge", "8"],
  ] as const)
    limiter.identify(name, user);
  limiter.pause("main", spot, 1000);
  limiter.pause("copy", positions, 1000);
  limiter.pause("main", accounts, 1000);
  const equity = endpointNamed("v2/equity");

  const early = Promise.all([wait(limiter, "main", equity), wait(limiter, "copy", spot)]);
  const others = Promise.all([wait(limiter, "hedge", spot), wait(limiter, null, tickers)]);
  expect(await lived(others)).toEqual([expect.any(Number), expect.any(Number)]);
  clock.jump(clock.now() + 290_000);
  expect(await lived(early)).toEqual(["longer", "longer"]);
  clock.jump(clock.now() + 11_000);
  expect(await lived(wait(limiter, "main", equity))).toEqual(expect.any(Number));
});

it("each source address has its own budget and ban; keys of one user share their budget across them", async () => {
  simulateTime();
  // `main` leaves from the first address, `desk` from the second.
  const bans: number[] = [];
  const limiter = new Limiter(systemClock, {
    ...{ requestsPerMinute: 3, sourceAddresses: ["192.0.2.1", "192.0.2.2"] },
    onBanned: (ms) => bans.push(ms),
  });
  onTestFinished(() => limiter.close());
  for (const address of [spot, accounts, tickers]) await lived(limiter.take("main", address, never), 0);
  const waits = await lived(Promise.all([wait(limiter, "main", spot), wait(limiter, "desk", spot)]));
  expect(waits).toEqual(["longer", expect.any(Number)]);
  const minutes = () => limiter.budget().filter(({ path }) => path === null);
  expect(minutes()).toEqual([
    { account: null, path: null, address: "192.0.2.1", requests: 0 },
    { account: null, path: null, address: "192.0.2.2", requests: 2 },
  ]);

  limiter.identify("main", "7");
  limiter.identify("desk", "7");
  for (let n = 0; n < 5; n += 1) limiter.pause(n % 2 ? "main" : null, [spot, tickers, accounts][n % 3] ?? spot, 1000);
  expect(minutes().map(({ requests }) => requests)).toEqual([0, 2]);
  expect(await lived(wait(limiter, "desk", tickers), 3000)).toEqual(expect.any(Number));
  limiter.pause("main", positions, 60_000);
  expect(limiter.isPaused("desk", positions)).toBe(true);

  // Only when no address is left.
  expect(bans).toEqual([]);
  limiter.identify("risk", "8");
  for (const account of ["desk", "risk"]) limiter.pause(account, account === "risk" ? accounts : positions, 1000);
  limiter.pause("desk", spot, 1000);
  expect(bans).toEqual([expect.any(Number)]);
  expect(bans[0]).toBeLessThanOrEqual(300_000);
  expect(bans[0]).toBeGreaterThan(200_000);
});

it("a refusal of a public endpoint among them indicates the limit of the IP address", async () => {
  simulateTime();
  const limiter = limiterOf();
  for (const address of [spot, positions]) limiter.pause("main", address, 1000);
  limiter.pause(null, tickers, 1000);

  expect(await lived(wait(limiter, "hedge", accounts))).toBe("longer");
});

it("keys of one user share a count, those of other users do not", async () => {
  simulateTime();
  const limiter = limiterOf();
  expect(limiter.identify("main", "7")).toEqual([]);
  expect(limiter.identify("copy", "7")).toEqual(["main"]);
  expect(limiter.identify("copy", "7")).toEqual([]);
  limiter.identify("hedge", "8");
  for (const name of ["main", "copy", "main", "copy", "main"]) await lived(limiter.take(name, positions, never), 0);

  const waits = await lived(Promise.all(["copy", "main", "hedge"].map((name) => wait(limiter, name, positions))));
  expect(waits).toEqual(["longer", "longer", expect.any(Number)]);
});

it("refusals of one endpoint, or with a good response in between, pause nothing else", async () => {
  simulateTime();
  const limiter = limiterOf();
  for (const address of [spot, spot, spot, positions]) limiter.pause("main", address, 1000);
  limiter.accepted("main");
  for (const address of [accounts, accounts]) limiter.pause("main", address, 1000);

  expect(await lived(wait(limiter, "main", tickers))).toEqual(expect.any(Number));
});

it("a request that queued for seconds is signed when it leaves", async () => {
  const server = await startServer((_request, response) => send(response, 200, answer({})));
  const client = clientOf(server.url, { clock: fastClock(speed) });
  const options = within(600_000);

  // One a second: the third leaves two seconds after it was asked for.
  await Promise.all([1, 2, 3].map(() => client.get(endpointNamed("v2/equity"), {}, options)));

  const stamps = server.seen.map((request) => Number(request.headers["access-timestamp"]));
  const [first = 0, , third = 0] = stamps;
  expect(third - first).toBeGreaterThanOrEqual(2000);
});

it("closing leaves no timer behind", async () => {
  const waiting = new Set<object>();
  const clock: Clock = {
    ...systemClock,
    after(ms, action) {
      const timer = {};
      waiting.add(timer);
      const cancel = systemClock.after(ms, action);
      return () => {
        waiting.delete(timer);
        cancel();
      };
    },
  };
  const limiter = new Limiter(clock);
  const done = await limiter.take("main", spot, never);
  done();
  expect(waiting.size).toBeGreaterThan(0);

  limiter.close();

  expect(waiting.size).toBe(0);
});
