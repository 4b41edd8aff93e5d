import { expect, it, onTestFinished } from "vitest";
import { demoAccount } from "../../src/commands/run/demo.ts";
import { SimulatedClock } from "../../src/core/clock.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";

const day = 86_400_000;

it.each(["2026-11-28T14:00:00Z", "2028-02-29T23:00:00Z"])(
  "the demo's thirty days before %s show every kind of entry",
  async (end) => {
    const clock = new SimulatedClock(Date.parse(end) - 30 * day);
    const exchange = await startSimulator({ clock, from: clock.now(), ...demoAccount });
    onTestFinished(() => exchange.close());
    clock.jump(Date.parse(end));

    const entries = exchange.ledgerOf("main");
    const count = (type: string) => entries.filter((entry) => entry.type === type).length;
    const counts = Object.fromEntries(
      ["deposit", "WITHDRAW", "transfer_out", "trans_from_exchange", "contract_settle_fee", "force_close_long"].map(
        (type) => [type, count(type)],
      ),
    );
    expect(Object.entries(counts).filter(([, found]) => found < 2)).toEqual([]);
    expect(entries.filter(({ fee }) => fee !== "0").length).toBeGreaterThan(500);
    expect(count("risk_captital_user_transfer")).toBeGreaterThan(0);
    expect(entries.length).toBeLessThan(3_000);
  },
);
