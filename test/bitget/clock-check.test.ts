/** What confirms the machine's clock, what contradicts it, and what undoes either. */
import { expect, it } from "vitest";
import { ClockCheck } from "../../src/bitget/clock-check.ts";
import { commonEndpoints } from "../../src/bitget/endpoints.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { classic, credentials } from "../support/settings.ts";
import { SettableClock } from "../support/world.ts";
import { clientOf, failureOf, within } from "./support.ts";

const start = Date.parse("2026-03-01T12:00:30Z");
const minute = 60_000;

it.each([
  ["nothing", [], 0, "unknown"],
  ["an offset of ten minutes", [600_000], 0, "confirmed"],
  ["an offset of more", [600_001], 0, "contradicted"],
  ["an offset of more to the other side", [-600_001], 0, "contradicted"],
  ["a step below thirty seconds since", [0], 29_900, "confirmed"],
  ["a greater step since", [0], 30_100, "unknown"],
  ["a step back since", [0], -31_000, "unknown"],
  ["a step since a contradiction", [700_000], 700_000, "unknown"],
  ["a good reading after a bad one", [700_000, 5], 0, "confirmed"],
])("after %s", (_, offsets, step, verdict) => {
  const clock = new SettableClock(start);
  const check = new ClockCheck(clock);
  for (const offset of offsets) check.measured(offset);
  clock.setWallClock(clock.now() + step);
  expect(check.verdict).toBe(verdict);
});

it("a response with a large offset is ignored, because it may come from a cache", () => {
  const clock = new SettableClock(start);
  const check = new ClockCheck(clock);
  check.observed(-700_000);
  expect(check.verdict).toBe("unknown");
  check.measured(0);
  check.observed(-700_000);
  expect(check.verdict).toBe("confirmed");
});

it("passing time changes nothing", () => {
  const clock = new SettableClock(start);
  const check = new ClockCheck(clock);
  check.measured(0);
  clock.advanceTo(start + 400 * 86_400_000);
  expect(check.verdict).toBe("confirmed");
});

/** A client of the simulated exchange, whose clock is off by so much. */
async function startPair(skewMs: number, v1 = false) {
  const clock = new SettableClock(start);
  const exchange = await startSimulator({ clock, accounts: [classic], v1 });
  exchange.clockSkewMs = skewMs;
  const clockCheck = new ClockCheck(clock);
  const client = clientOf(exchange.url, { clock, clockCheck });
  return { clock, exchange, clockCheck, client, credentials: credentials(classic) };
}

it("the first response, also a refusal, confirms the clock without a time request", async () => {
  const { exchange, clockCheck, client } = await startPair(5 * minute);
  try {
    await failureOf(client.get(commonEndpoints["v3/settings"], {}, within(600_000)));
    expect([clockCheck.verdict, Math.round((clockCheck.offset ?? 0) / minute)]).toEqual(["confirmed", 5]);
    const requests = exchange.counts.requests;
    await client.requireClock(within(600_000).signal);
    expect(exchange.counts.requests).toBe(requests);
  } finally {
    await exchange.close();
  }
});

it("a contradicted clock is checked again, and confirmed after it was set", async () => {
  const { clock, exchange, clockCheck, client } = await startPair(30 * 86_400_000);
  try {
    expect((await failureOf(client.requireClock(within(600_000).signal))).kind).toBe("clock");
    expect(clockCheck.verdict).toBe("contradicted");
    exchange.clockSkewMs = 0;
    clock.setWallClock(clock.now() + 30 * 86_400_000);
    expect(clockCheck.verdict).toBe("unknown");
    await client.requireClock(within(600_000).signal);
    expect(clockCheck.verdict).toBe("confirmed");
  } finally {
    await exchange.close();
  }
});

it("a host that has only v1 is requested for its time by the v1 endpoint", async () => {
  const { exchange, clockCheck, client } = await startPair(2 * minute, true);
  exchange.injectFault({ path: commonEndpoints["v2/time"].path, code: "40404" });
  try {
    await client.requireClock(within(600_000).signal);
    expect([clockCheck.verdict, Math.round((clockCheck.offset ?? 0) / minute)]).toEqual(["confirmed", 2]);
  } finally {
    await exchange.close();
  }
});
