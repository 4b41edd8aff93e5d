import { describe, expect, it } from "vitest";
import { SimulatedClock, sleep, systemClock } from "../../src/core/clock.ts";

describe("a simulated clock", () => {
  it("continues from its start time", async () => {
    const clock = new SimulatedClock(1_700_000_000_000);
    await sleep(systemClock, 20);
    expect(clock.now()).toBeGreaterThan(1_700_000_000_000);
    expect(clock.now()).toBeLessThan(1_700_000_005_000);
  });

  it("runs the timers that are due after a jump, in order", () => {
    const clock = new SimulatedClock(0);
    const happened: string[] = [];
    clock.after(60_000, () => happened.push("minute"));
    clock.after(1000, () => happened.push("second"));
    clock.after(7_200_000, () => happened.push("two hours"));
    clock.jump(3_600_000);
    expect(happened).toEqual(["second", "minute"]);
    clock.jump(8_000_000);
    expect(happened).toEqual(["second", "minute", "two hours"]);
  });

  it("moves its wall clock and its monotonic clock together", () => {
    const clock = new SimulatedClock(0);
    const before = clock.monotonic();
    clock.jump(3_600_000);
    expect(clock.monotonic() - before).toBeGreaterThanOrEqual(3_599_000);
  });

  it("does not go back", () => {
    const clock = new SimulatedClock(1_000_000);
    clock.jump(5);
    expect(clock.now()).toBeGreaterThanOrEqual(1_000_000);
  });

  it("sleeps without running timers, and without moving its monotonic clock", () => {
    const clock = new SimulatedClock(0);
    let happened = 0;
    clock.after(1000, () => {
      happened += 1;
    });
    const before = clock.monotonic();
    clock.sleepUntil(3_600_000);
    expect(clock.now()).toBeGreaterThanOrEqual(3_600_000);
    expect(clock.monotonic() - before).toBeLessThan(3_000_000);
    expect(happened).toBe(0);
  });

  it("skips to its next timer, which runs", () => {
    const clock = new SimulatedClock(0);
    const happened: string[] = [];
    clock.after(60_000, () => happened.push("minute"));
    clock.after(7_200_000, () => happened.push("two hours"));
    clock.skipToTimer();
    expect(happened).toEqual(["minute"]);
    clock.skipToTimer();
    expect(happened).toEqual(["minute", "two hours"]);
    clock.skipToTimer();
    expect(clock.now()).toBeLessThan(8_000_000);
  });

  it("does not run a cancelled timer", () => {
    const clock = new SimulatedClock(0);
    let happened = false;
    clock.after(10, () => {
      happened = true;
    })();
    clock.jump(1000);
    expect(happened).toBe(false);
  });
});

it("a sleep is rejected with the reason of the signal", async () => {
  const controller = new AbortController();
  const sleeping = sleep(systemClock, 60_000, controller.signal);
  controller.abort(new Error("time is up"));
  await expect(sleeping).rejects.toThrow("time is up");
});
