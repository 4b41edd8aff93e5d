import { expect, it } from "vitest";
import { fittedTable } from "../../../src/commands/terminal/history-table.ts";
import { tableColumns } from "../../../src/commands/terminal/table-columns.ts";
import type { Cell } from "../../../src/core/domain.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { openHistory } from "../../../src/store/read/open-history.ts";
import { open, temporaryPath } from "../../store/temporary.ts";

it("every dataset has default columns, made of columns of its view", async () => {
  const path = temporaryPath();
  (await open(path)).close();
  const history = openHistory(path);
  for (const dataset of datasets) {
    const shown = tableColumns[dataset.name]?.flatMap(({ shows }) => shows) ?? [];
    expect(shown.length, dataset.name).toBeGreaterThan(3);
    expect(history.columns(dataset)).toEqual(expect.arrayContaining(shown));
  }
  history.close();
});

const position: Record<string, Cell> = {
  account: "main",
  taken_at: "2026-11-28T11:45:15.123Z",
  product_type: "umcbl",
  symbol: "1000PEPEUSDT",
  margin_coin: "USDT",
  hold_side: "short",
  margin_mode: "isolated",
  total: "1234567.5",
  leverage: "125",
  average_open_price: "0.12345678901234567",
  mark_price: "0.12345",
  unrealized_pl: "-12345.678901234567",
  liquidation_price: "0.13456789012345",
  keep_margin_rate: null,
};

const fitted = (row: Record<string, Cell>, width: number, hasAccounts = false) =>
  fittedTable("positions", Object.keys(row), [Object.values(row)], { width, hasAccounts });

it("a table of positions fits 120 characters, however many digits the exchange sends", () => {
  expect(fitted(position, 120)).toEqual({
    columns: [
      ...["taken_at (UTC)", "symbol", "side", "leverage", "size", "PnL", "liquidation", "distance"],
      ...["entry", "mark"],
    ],
    rows: [
      [
        ...["2026-11-28 11:45:15", "1000PEPEUSDT", "short", "125× isolated", "1234567.5", "-12345.67"],
        ...["0.13456", "9.00 %", "0.123456", "0.12345"],
      ],
    ],
    hidden: 3,
  });
});

it("columns that do not fit are left out from the right and counted", () => {
  expect(fitted(position, 40)).toMatchObject({ columns: ["taken_at (UTC)", "symbol", "side"], hidden: 11 });
  expect(fitted(position, 1)?.columns).toEqual(["taken_at (UTC)"]);
});

it("the account is shown where there are several; a coin that is no stable coin is named; unknown is empty", () => {
  const inverse = { ...position, margin_coin: "BTC", unrealized_pl: "0.000779891", mark_price: null };
  expect(fitted(inverse, 200, true)?.rows).toEqual([
    [
      ...["main", "2026-11-28 11:45:15", "1000PEPEUSDT", "short", "125× isolated", "1234567.5"],
      ...["0.00077989 BTC", "0.13456789", "", "0.123456789", ""],
    ],
  ]);
  expect(fitted({ ...position, liquidation_price: "-1" }, 200)?.rows[0]?.slice(6, 8)).toEqual(["none", ""]);
});
