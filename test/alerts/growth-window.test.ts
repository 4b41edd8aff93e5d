/** The height of a growth in a window, as valuations are added one by one, against one computation over all of them. */
import { describe, expect, it } from "vitest";
import { GrowthWindow } from "../../src/alerts/measurements/growth-window.ts";
import { add, compare, divide, isPositive, multiply, subtract } from "../../src/core/decimal.ts";
import { growthAcross, type Valuation } from "../../src/returns/time-weighted.ts";
import { random } from "../../src/simulator/market/random.ts";

const minute = 60_000;

const valuation = (at: number, equity: string | null, flow: string | null = "0", isGap = false): Valuation => ({
  ...{ at: at * minute, equity, flow, isGap },
});

/** Returns the share by which each known equity is below the highest one of the window; "?" where it is unknown. */
function depths(valuations: readonly Valuation[], windowMs: number): string[] {
  const window = new GrowthWindow(windowMs);
  return valuations.map((one) => {
    const height = window.add(one);
    return height ? (divide(subtract(height.peak, height.growth), height.peak) ?? "-") : "?";
  });
}

/** Returns a life of an account: something is won or lost in each minute, sometimes money comes or leaves. */
function lifeOf(seed: number, minutes: number): Valuation[] {
  const { integer: between } = random(seed);
  const chance = (share: number) => between(1, 1000) <= share * 1000;
  let equity = "1000";
  return Array.from({ length: minutes }, (_, at) => {
    equity = divide(multiply(equity, String(between(97_000, 103_000))), "100000") ?? equity;
    const flow = chance(0.1) ? divide(multiply(equity, String(between(-600, 2000))), "1000") : null;
    if (flow !== null) equity = add(equity, flow);
    return valuation(at, chance(0.05) && flow === null ? null : equity, flow ?? "0");
  });
}

describe("the height of a growth", () => {
  it.each([1, 2, 3, 4])("is below the highest growth of the window as one computation has it (%i)", (seed) => {
    const life = lifeOf(seed, 400);
    const windowMs = 60 * minute;
    const growth = [...growthAcross(life)];
    const heights = life.map((_, index) => index);
    const window = new GrowthWindow(windowMs);
    const all = heights.flatMap((index) => window.add(life[index] as Valuation) ?? []);
    expect(all.map(({ at }) => at)).toEqual(growth.map(({ at }) => at));
    for (const [index, height] of all.entries()) {
      const within = growth.slice(0, index + 1).filter(({ at }) => at >= height.at - windowMs);
      const highest = within.reduce((a, b) => (compare(b.least, a.least) > 0 ? b : a)).least;
      const expected = divide(growth[index]?.least ?? "0", highest) ?? "0";
      const difference = subtract(divide(height.growth, height.peak) ?? "0", expected);
      // Both are rounded to 16 places, once per payment.
      expect(compare(multiply(difference, difference), "0.0000000000000000000000000001")).toBe(-1);
    }
    expect(all.some(({ growth, peak }) => isPositive(subtract(peak, growth)))).toBe(true);
  });

  it("is not changed by what is paid in or out, and falls with a loss beside it", () => {
    const life = [["100"], ["40", "-60"], ["90", "50"], ["180", "100"]] as const;
    expect(
      depths(
        life.map(([equity, flow], at) => valuation(at, equity, flow)),
        60 * minute,
      ),
    ).toEqual([...["0", "0", "0"], expect.stringMatching(/^0\.1111/)]);
  });

  it("counts an unknown payment as won or lost, and says since when", () => {
    const window = new GrowthWindow(60 * minute);
    window.add(valuation(0, "100"));
    expect(window.add(valuation(1, "50", null))).toMatchObject({
      ...{ growth: "0.5", peak: "1" },
      unknown: { from: 0, to: minute },
    });
    expect(window.add(valuation(2, "200", "0"))).toMatchObject({ growth: "2", peak: "2", unknown: null });
  });

  it("continues over an unknown equity with what was paid meanwhile", () => {
    const life = [valuation(0, "100"), valuation(1, null, "50"), valuation(2, "135", "0")];
    expect(depths(life, 60 * minute)).toEqual(["0", "?", "0.15"]);
  });

  it("forgets what is older than the window", () => {
    const life = ["100", "80", "80", "80"].map((equity, at) => valuation(at, equity));
    expect(depths(life, 2 * minute)).toEqual(["0", "0.2", "0.2", "0"]);
  });

  it("takes no longer for a long fall, or for payments unknown for long", () => {
    const window = new GrowthWindow(40_000 * minute);
    let height: ReturnType<GrowthWindow["add"]> = null;
    for (let at = 0; at < 40_000; at += 1) height = window.add(valuation(at, String(80_000 - at), null));
    expect(height).toMatchObject({ growth: "0.5000125", peak: "1", unknown: { from: 0, to: 39_999 * minute } });
  });

  it("begins anew with money that comes in after everything was lost, not after everything was paid out", () => {
    const lost = [valuation(0, "100"), valuation(1, "0"), valuation(2, "50", "50"), valuation(3, "40")];
    expect(depths(lost, 60 * minute)).toEqual(["0", "1", "0", "0.2"]);
    const empty = [valuation(0, "100"), valuation(1, "0"), valuation(2, "0"), valuation(3, "-5"), valuation(4, "1")];
    expect(depths(empty, 60 * minute)).toEqual(["0", "1", "1", "1.05", "0.99"]);
    const dust = [valuation(0, "100"), valuation(1, "40"), valuation(2, "0", "-40"), valuation(3, "0.1")];
    expect(depths(dust, 60 * minute)).toEqual(["0", "0.6", "0.6", "0.6"]);
    const left = [valuation(0, "100"), valuation(1, "80"), valuation(2, "0", "-80"), valuation(3, "50", "50")];
    expect(depths(left, 60 * minute)).toEqual(["0", "0.2", "0.2", "0.2"]);
  });

  it("is that of a copy until something else is added to it", () => {
    const window = new GrowthWindow(60 * minute);
    for (const one of lifeOf(5, 50)) window.add(one);
    const copy = window.copy();
    copy.add(valuation(60, "1"));
    const next = valuation(61, "1000", null);
    const again = new GrowthWindow(60 * minute);
    for (const one of lifeOf(5, 50)) again.add(one);
    expect(window.add(next)).toEqual(again.add(next));
  });
});
