/** Lists what the charts of the pages can show. */

/** What a chart can show: a curve, some of its lines, and those of them that are drawn on top of each other. */
export interface ChartView {
  /** Its name in the address of the page. */
  name: string;
  label: string;
  /** The parameter `of` of `/api/curve`. Default: that of the chart. */
  of?: string;
  lines?: readonly string[];
  stack?: readonly string[];
}

export const standardSpans = [
  ["1m", "1 month"],
  ["1d", "1 day"],
  ["1w", "1 week"],
  ["1y", "1 year"],
  ["all", "All"],
] as const;

/** The views of the equity. */
export const equityViews: readonly ChartView[] = [
  { name: "equity", label: "Equity", lines: ["total", "known_part", "net_deposits"] },
  { name: "profit", label: "Profit", of: "profit", lines: ["profit"] },
  { name: "drawdown", label: "Drawdown", of: "profit", lines: ["drawdown"] },
  { name: "wallets", label: "By wallet", stack: ["spot_usdt", "futures_usdt", "unified_usdt", "other_usdt"] },
];
