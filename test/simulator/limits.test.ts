import { expect, it } from "vitest";
import { createLimits } from "../../src/simulator/limits.ts";
import { classic } from "../support/settings.ts";
import { ask, handClock, noon, simulator } from "./support.ts";

/** What became of requests sent at these milliseconds: how many were left, or null where refused. */
function sentAt(times: number[], perSecond: number): (number | null)[] {
  const clock = handClock();
  const limits = createLimits(clock);
  return times.map((time) => {
    clock.pass(time - clock.monotonic());
    return limits.countEndpoint("main", "/path", perSecond);
  });
}

it("the limit applies to every sliding second, not to calendar seconds", () => {
  expect(sentAt([900, 950, 990, 1100, 1899, 1900, 1949, 1950], 3)).toEqual([2, 1, 0, null, null, 0, null, 0]);
});

it("a refused request does not count towards the limit", () => {
  expect(sentAt([0, 500, 999, 1000], 1)).toEqual([0, null, null, 0]);
});

it("a limit below one a second is one request in a longer window", () => {
  expect(sentAt([0, 9_999, 10_000], 0.1)).toEqual([0, null, 0]);
});

it("users and paths have budgets of their own", () => {
  const limits = createLimits(handClock());

  const left = [
    limits.countEndpoint("main", "/a", 1),
    limits.countEndpoint("main", "/b", 1),
    limits.countEndpoint("hedge", "/a", 1),
    limits.countEndpoint("main", "/a", 1),
  ];

  expect(left).toEqual([0, 0, 0, null]);
});

it("the 6001st request of a minute bans the address for five minutes", () => {
  const clock = handClock();
  const limits = createLimits(clock);
  const letIn = () => limits.countAddress("127.0.0.1");

  const first = Array.from({ length: 6000 }, letIn).every(Boolean);
  const oneMore = letIn();
  clock.pass(299_999);
  const stillShut = letIn();
  clock.pass(1);
  const open = letIn();

  expect([first, oneMore, stillShut, open]).toEqual([true, false, false, true]);
});

it("the sixth request for positions in a second is a 429 and a violation; the header counts down to it", async () => {
  const clock = handClock();
  const exchange = await simulator({ clock });
  const target = "/api/v2/mix/position/all-position?productType=USDT-FUTURES";

  const replies = [];
  for (let count = 0; count < 6; count++) replies.push(await ask(exchange, classic, target));
  clock.pass(1000);
  const later = await ask(exchange, classic, target, noon + 1000);

  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
  expect(replies.map(({ headers }) => headers.get("x-mbx-used-remain-limit"))).toEqual(["4", "3", "2", "1", "0", "0"]);
  expect(replies[5]?.body).toEqual({ code: "429", msg: "Too Many Requests", requestTime: noon, data: null });
  expect([later.status, exchange.counts.requests, exchange.counts.limitViolations]).toEqual([200, 7, 1]);
});
