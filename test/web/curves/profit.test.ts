import { describe, expect, it } from "vitest";
import { equity } from "../../../src/datasets/snapshots/equity.ts";
import { NetDeposits } from "../../../src/web/curves/profit/net-deposits.ts";
import type { Paid } from "../../../src/web/curves/profit/paid.ts";
import { Profit } from "../../../src/web/curves/profit/profit.ts";
import { equityRow } from "../../reports/kit.ts";
import { startAccounts } from "../account.ts";

/** Returns the points of an equity as "time profit drawdown". */
function pointsOf(equities: (string | null)[], paid: Partial<Paid> = {}): string[] {
  const none = { flows: [], transits: [], unknown: [], through: Number.POSITIVE_INFINITY, isNothingKnown: false };
  const profit = new Profit({ ...none, ...paid });
  return equities
    .flatMap((equity, index) => profit.add({ at: index * 10, equity }))
    .map((point) => `${point.at} ${point.profit ?? "-"} ${point.drawdown ?? "-"}`);
}

describe("the net deposits of a curve", () => {
  const depositsOf = (equities: (string | null)[], paid: Partial<Paid>) => {
    const none = { flows: [], transits: [], unknown: [], through: Number.POSITIVE_INFINITY, isNothingKnown: false };
    const deposits = new NetDeposits({ ...none, ...paid });
    return equities.map((equity, index) => deposits.at({ at: index * 10, equity }));
  };
  const flows = [
    { account: "main", at: -5, usdt: "7" },
    { account: "main", at: 15, usdt: "100" },
    { account: "main", at: 30, usdt: "-50.5" },
  ];

  it("begin at the first known equity and change by what was paid, also while the equity is unknown", () => {
    expect(depositsOf([null, "100", null, "180"], { flows })).toEqual([null, "100", "200", "149.5"]);
  });

  it("are unknown where a payment may be missing, and begin again at the equity after it", () => {
    const unknown = [{ from: 12, to: 15 }];
    expect(depositsOf(["100", "90", "300", "310", "500"], { flows, unknown })).toEqual([
      ...["100", "100", null, "249.5", "249.5"],
    ]);
    expect(depositsOf(["100", "90", null, "310", "500"], { flows, unknown })).toEqual([
      ...["100", "100", null, "310", "310"],
    ]);
  });

  it("are unknown without a ledger, and where it was not read yet", () => {
    expect(depositsOf(["100", "90"], { isNothingKnown: true })).toEqual([null, null]);
    expect(depositsOf(["100", "90", "80"], { through: 15 })).toEqual(["100", "100", null]);
  });
});

describe("the profit of a curve", () => {
  it("is what the equity gained since its first point, and the drawdown the loss since the highest", () => {
    expect(pointsOf(["100", "120", "90", null, "150"])).toEqual([
      "0 0 0",
      "10 20 0",
      "20 -10 -0.25",
      "30 - -",
      "40 50 0",
    ]);
  });

  it("is without what was paid in and out, which is no drawdown either", () => {
    const flows = [
      { account: "main", at: 5, usdt: "100" },
      { account: "main", at: 20, usdt: "-50" },
      { account: "main", at: 31, usdt: "200" },
    ];
    expect(pointsOf(["100", "200", "150", "120", "320"], { flows })).toEqual([
      ...["0 0 0", "10 0 0", "20 0 0", "30 -30 -0.2", "40 -30 -0.2"],
    ]);
  });

  it("breaks where it is unknown what was paid, and continues at the height it had", () => {
    const unknown = [{ from: 12, to: 15 }];
    expect(pointsOf(["100", "90", "500", "550"], { unknown })).toEqual([
      ...["0 0 0", "10 -10 -0.1", "11 - -", "20 -10 -0.1", "30 40 -0.01"],
    ]);
  });

  it("breaks once where the equity is unknown in that time as well, and its times ascend", () => {
    const unknown = [{ from: 12, to: 25 }];
    expect(pointsOf(["100", "90", null, "500", "550", "540"], { unknown })).toEqual([
      ...["0 0 0", "10 -10 -0.1", "20 - -", "30 -10 -0.1", "40 40 -0.01", "50 30 -0.028"],
    ]);
  });

  it("ends where the ledger was not read yet", () => {
    expect(pointsOf(["100", "120", "90"], { through: 15 })).toEqual(["0 0 0", "10 20 0"]);
  });

  it("is the change of the equity, and called so, where no ledger is collected", async () => {
    const { record, json } = await startAccounts({ minutes: 2 });
    for (const [at, value] of ["100.5", "300", "150"].entries()) await record(equity, at, [equityRow(value)]);
    expect(await json("/api/curve?of=profit")).toMatchObject({
      isPaidKnown: false,
      lines: [
        { label: "Equity change", values: ["0", "199.5", "49.5"] },
        { label: "Drawdown of equity", values: ["0", "0", "-0.5"] },
      ],
    });
  });
});
