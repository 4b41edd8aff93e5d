import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { absolute, add, compare, round } from "../../../src/core/decimal.ts";
import { equity } from "../../../src/datasets/snapshots/equity.ts";
import type { Paid } from "../../../src/web/curves/paid.ts";
import { Profit } from "../../../src/web/curves/profit.ts";
import { type Served, servePages } from "../../browser/browser.ts";
import { equityRow, reportRows } from "../../reports/kit.ts";
import { type Life, live } from "../../reports/pnl-life.ts";
import { startAccounts } from "../account.ts";

/** Returns the points of an equity as "time profit drawdown". */
function pointsOf(equities: (string | null)[], paid: Partial<Paid> = {}): string[] {
  const none = { flows: [], unknown: [], through: Number.POSITIVE_INFINITY, isNothingKnown: false };
  const profit = new Profit({ ...none, ...paid });
  return equities
    .flatMap((equity, index) => profit.add({ at: index * 10, equity }))
    .map((point) => `${point.at} ${point.profit ?? "-"} ${point.drawdown ?? "-"}`);
}

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

describe("the profit of simulated accounts", () => {
  let life: Life;
  let served: Served;
  const end = Date.parse("2026-02-01T00:01:00Z");

  beforeAll(async () => {
    life = await live(31, Number.POSITIVE_INFINITY);
    served = await servePages(life.path, () => end);
  }, 120_000);
  afterAll(async () => {
    served.close();
    await life.close();
  });

  const curveOf = async (query: string) => {
    const response = await fetch(new URL(`/api/curve?of=profit&${query}`, served.url));
    return (await response.json()) as { at: number[]; lines: { values: (string | null)[] }[]; unknown: unknown[] };
  };

  // The first span is read point by point, the second from the cached hours.
  it.each([
    ["2026-01-03", "2026-01-09"],
    ["2026-01-01", "2026-02-01"],
  ])("is that of the report of returns, to the last digit, as is the drawdown (%s to %s)", async (from, to) => {
    const span = { timezone: "UTC", by: "day" as const, from: Date.parse(from), to: Date.parse(to) };
    for (const account of ["main", "hedge"]) {
      const total = reportRows(life.path, "returns", span, { account, now: end }).at(-1);
      const [first, last] = [Date.parse(String(total?.opening_at)), Date.parse(String(total?.closing_at))];
      const { at, lines } = await curveOf(`account=${account}&from=${first}&to=${last + 1}&width=4000`);
      const [profit, drawdown] = lines.map(({ values }) => values.map((value) => value ?? "unknown"));
      expect([at[0], at.at(-1), profit?.at(-1)]).toEqual([first, last, total?.result]);
      const lowest = drawdown?.reduce((a, b) => (compare(a, b) <= 0 ? a : b)) ?? "";
      expect(round(absolute(lowest), 12)).toBe(round(String(total?.drawdown), 12));
      expect(compare(lowest, "0")).toBe(-1);
    }
  });

  it("has the flows of both accounts in their sum", async () => {
    const [main, hedge, both] = await Promise.all(
      ["account=main&", "account=hedge&", ""].map(async (account) => {
        const { lines } = await curveOf(`${account}from=${Date.parse("2026-01-02")}&to=${end}&width=4000`);
        return lines[0]?.values.at(-1) ?? "unknown";
      }),
    );
    expect(both).toBe(add(main ?? "", hedge ?? ""));
  });
});
