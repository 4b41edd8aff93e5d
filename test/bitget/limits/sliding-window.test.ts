import { setMaxListeners } from "node:events";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { type Permit, SlidingWindowLimiter } from "../../../src/bitget/limits/sliding-window.ts";
import { systemClock } from "../../../src/core/clock.ts";

// Time is simulated, that of the queue's library included: nothing waits, and a busy machine changes nothing.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});
const setWallClockBack = (ms: number): void => {
  vi.setSystemTime(Date.now() - ms);
};

function permitsOf(count: number, window: number): SlidingWindowLimiter {
  const permits = new SlidingWindowLimiter(count, window, systemClock);
  onTestFinished(() => permits.close());
  return permits;
}

const never = new AbortController().signal;
setMaxListeners(0, never);
const hour = 3_600_000;

/** Lives through `ms`, and says whether the promise is kept by then: "held", else "waiting". */
async function stateAfter(ms: number, promise: Promise<unknown>): Promise<string> {
  let state = "waiting";
  void promise.then(() => {
    state = "held";
  });
  await vi.advanceTimersByTimeAsync(ms);
  return state;
}

/** What the promise gives once the timers that are due now have gone off. */
async function atOnce<T>(promise: Promise<T>): Promise<T> {
  await vi.advanceTimersByTimeAsync(1);
  return promise;
}

const takeAll = (permits: SlidingWindowLimiter, count: number): Promise<Permit[]> =>
  atOnce(Promise.all(Array.from({ length: count }, () => permits.take(never))));

it("no sliding window contains more uses than permits", async () => {
  const permits = permitsOf(5, 200);
  const uses: number[] = [];
  const use = async () => {
    const permit = await permits.take(never);
    uses.push(performance.now());
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
    uses.push(performance.now()); // a use may count at its start or at its end
    permit.release();
  };

  const all = Promise.all(Array.from({ length: 40 }, use));
  await vi.advanceTimersByTimeAsync(10_000);
  await all;

  const starts = uses.toSorted((a, b) => a - b);
  const most = Math.max(...starts.map((start) => starts.filter((at) => at >= start && at < start + 200).length));
  expect(uses).toHaveLength(80);
  expect(most).toBeLessThanOrEqual(10);
});

it("a use with an unknown end counts for another window and delays no other permit", async () => {
  const permits = permitsOf(2, 200);
  const [lost, used] = await takeAll(permits, 2);
  const next = permits.take(never);
  const afterNext = permits.take(never);

  lost?.releaseUncertain();
  used?.release();
  const states = [await stateAfter(150, next), await stateAfter(150, next), await stateAfter(50, afterNext)];
  const later = await stateAfter(200, afterNext);

  expect([...states, later]).toEqual(["waiting", "held", "waiting", "held"]);
});

it("a permit is free one window after the end of its use, not after its start", async () => {
  const permits = permitsOf(1, 200);
  const first = await atOnce(permits.take(never));
  const second = permits.take(never);

  const during = await stateAfter(300, second);
  first.release();
  const justAfter = await stateAfter(150, second);
  const later = await stateAfter(300, second);

  expect([during, justAfter, later]).toEqual(["waiting", "waiting", "held"]);
});

it("an unused permit is free at once", async () => {
  const permits = permitsOf(1, 60_000);
  const first = await atOnce(permits.take(never));
  first.cancel();

  expect(await stateAfter(300, permits.take(never))).toBe("held");
});

it("a caller that is aborted while waiting takes no permit", async () => {
  const permits = permitsOf(1, 50);
  const first = await atOnce(permits.take(never));
  const controller = new AbortController();
  const impatient = permits.take(controller.signal);
  const patient = permits.take(never);

  controller.abort(new Error("enough"));
  await expect(impatient).rejects.toThrow("enough");
  first.release();

  expect(await stateAfter(500, patient)).toBe("held");
});

it("a caller with an aborted signal gets no permit", async () => {
  await expect(permitsOf(1, 50).take(AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
});

it("permits are granted in the order of the requests", async () => {
  const permits = permitsOf(1, 20);
  const order: number[] = [];

  const all = Promise.all(
    [1, 2, 3, 4, 5].map(async (number) => {
      const permit = await permits.take(never);
      order.push(number);
      permit.release();
    }),
  );
  await vi.advanceTimersByTimeAsync(1000);
  await all;

  expect(order).toEqual([1, 2, 3, 4, 5]);
});

it("setting the wall clock back an hour does not delay later callers", async () => {
  const permits = permitsOf(2, 50);
  for (const permit of await takeAll(permits, 2)) permit.release();
  setWallClockBack(hour);

  expect(await stateAfter(1000, permits.take(never))).toBe("held");
});

it("setting the wall clock back an hour does not delay waiting callers", async () => {
  const permits = permitsOf(2, 50);
  const held = await takeAll(permits, 2);
  const waiting = permits.take(never);
  await stateAfter(20, waiting);
  setWallClockBack(hour);
  for (const permit of held) permit.release();

  expect(await stateAfter(1000, waiting)).toBe("held");
});

it("setting the wall clock forward and back delays no caller", async () => {
  const permits = permitsOf(2, 50);
  setWallClockBack(-hour);
  const held = await takeAll(permits, 2);
  const waiting = permits.take(never);
  setWallClockBack(hour);
  for (const permit of held) permit.release();

  expect(await stateAfter(1000, waiting)).toBe("held");
});

it("permits in use stay in use when the wall clock is set back", async () => {
  const permits = permitsOf(2, 50);
  const [first] = await takeAll(permits, 2);
  const waiting = permits.take(never);
  setWallClockBack(hour);

  const before = await stateAfter(700, waiting);
  first?.release();
  const after = await stateAfter(500, waiting);

  expect([before, after]).toEqual(["waiting", "held"]);
});

it("closing rejects waiting and later callers", async () => {
  const permits = permitsOf(1, 60_000);
  const first = await atOnce(permits.take(never));
  const waiting = permits.take(never);
  const refused = expect(waiting).rejects.toThrow("the program is stopping");

  permits.close();
  first.release();

  await refused;
  await expect(permits.take(never)).rejects.toThrow("the program is stopping");
});
