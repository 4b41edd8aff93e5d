/** Builds the content of `status --watch`: equity, positions, balances and the state of each dataset. */
import { runToEnd } from "../../core/async/cooperate.ts";
import { compare, isZero, multiply, subtract } from "../../core/decimal.ts";
import { durationText, escapeControlChars, namesByText } from "../../core/text.ts";
import { equity } from "../../datasets/snapshots/equity.ts";
import { positions } from "../../datasets/snapshots/positions.ts";
import { type Close, createCloses } from "../../queries/close.ts";
import { equityOf, missingWords, pricedPartOf, unpricedText } from "../../queries/equity.ts";
import { type Period, periodOf } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import { createWallets } from "../../queries/wallets.ts";
import { createPrices } from "../../reports/balances.ts";
import type { Freshness, HistoryRow, OpenFailure, WorkerStatus } from "../../store/history.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { formatTable } from "../shared/table.ts";
import { displayWidth } from "../shared/width.ts";
import { amountText, changeText, moneyText } from "../terminal/figures.ts";
import { type TableColumn, tableColumns } from "../terminal/table-columns.ts";
import { workerCells, workerHeaders, workerProblems } from "./worker-lines.ts";

/** How a line is highlighted. */
export type Tone = "plain" | "title" | "bad" | "faint";

/** A line without control characters. */
export interface Line {
  text: string;
  tone: Tone;
}

/** The number of balances shown, by value. */
const maxBalances = 8;

/**
 * Returns the lines for `now` (epoch ms), with days of the time zone. Of tables that are wider than `width` cells the last columns are left
 * out, so that no figure is cut. @throws ConfigError when there is no usable database
 */
export function overviewLines(
  databasePath: string,
  timezone: string,
  now: number,
  width = Number.POSITIVE_INFINITY,
): Line[] {
  const history = openHistory(databasePath);
  try {
    const source: Source = { history, account: null, now };
    const today = periodOf(timezone, "day", now);
    const shown = { ...today, to: now + 1 };
    const yesterday = periodOf(timezone, "day", today.from - 1);
    const freshness = history.freshness(now);
    const workers = history.workers(now);
    const table = (name: string, cells: Cells) => section(name, cells, width);
    const failures = freshness.flatMap((one) => describeFailures(one, history.openFailures(one)));
    return [
      { text: `${new Date(now).toISOString().slice(0, 19).replace("T", " ")} UTC`, tone: "title" },
      ...table(`Equity (today since 00:00 ${timezone})`, equityCells(source, shown, yesterday)),
      ...table("Open positions", openPositions(source, shown)),
      ...table(`Balances, the ${maxBalances} largest`, largestBalances(source, shown)),
      ...table("Collecting", collecting(freshness, now)),
      ...(workers.length === 0 ? [] : [...table("Workers", workerTable(workers)), ...workerProblems(workers).map(bad)]),
      ...(failures.length === 0 ? [] : [blank, title("Open failures"), ...failures.map(bad)]),
    ];
  } finally {
    history.close();
  }
}

const blank: Line = { text: "", tone: "plain" };
const title = (text: string): Line => ({ text, tone: "title" });
const bad = (text: string): Line => ({ text: escapeControlChars(text), tone: "bad" });

/** A table: headers and rows; `isBad` highlights a row. */
interface Cells {
  headers: string[];
  rows: { cells: string[]; isBad?: boolean }[];
}

function section(name: string, { headers, rows }: Cells, width: number): Line[] {
  if (rows.length === 0) return [blank, title(name), { text: "none", tone: "faint" }];
  const fitting = (columns: number): string[] => {
    const shown = formatTable(
      headers.slice(0, columns),
      rows.map(({ cells }) => cells.slice(0, columns)),
    );
    return columns > 1 && shown.some((line) => displayWidth(line) > width) ? fitting(columns - 1) : shown;
  };
  const [header = "", ...lines] = fitting(headers.length);
  const tones = lines.map((text, n): Line => ({ text, tone: rows[n]?.isBad ? "bad" : "plain" }));
  return [blank, title(name), { text: header, tone: "faint" }, ...tones];
}

function equityCells(source: Source, shown: Period, yesterday: Period): Cells {
  const closesOf = createCloses(source, equity);
  const before = runToEnd(closesOf(yesterday));
  const rows = runToEnd(closesOf(shown)).map((closing) => {
    const now = equityOf(closing);
    const then = equityOf(before.find(({ account }) => account === closing.account));
    const change = now !== null && then !== null ? subtract(now, then) : null;
    const texts = [now === null ? "unknown" : moneyText(now), change === null ? "unknown" : changeText(change)];
    return { cells: [closing.account, ...texts, partText(closing)], isBad: now === null };
  });
  const isComplete = rows.every(({ cells }) => cells.at(-1) === "");
  return { headers: ["account", "USDT", "today", ...(isComplete ? [] : ["partial equity"])], rows };
}

/** Returns the partial equity of an incomplete account, such as "400 without AIRDROP 0.00000001 (no price)"; empty if it is complete. */
function partText(closing: Close): string {
  const row = closing.rows[0];
  if (!row || equityOf(closing) !== null) return "";
  const [unpriced, missing] = [unpricedText(row), missingWords(row)];
  const without = [unpriced && `${unpriced} (no price)`, missing && `${missing} (unknown)`].filter(Boolean);
  const priced = pricedPartOf(row);
  return `${priced === null ? "nothing" : moneyText(priced)}${without.length > 0 ? ` without ${without.join(", ")}` : ""}`;
}

/** The columns of open positions, without their time: all of them are as of now. */
const positionColumns = (tableColumns.positions ?? []).filter(({ shows }) => !shows.includes("taken_at"));

function openPositions(source: Source, shown: Period): Cells {
  const rows = runToEnd(createCloses(source, positions)(shown)).flatMap(({ account, productType, known, rows }) => {
    const [, ...others] = positionColumns;
    if (!known) return [{ cells: [account, `${productType ?? ""} unknown`, ...others.map(() => "")], isBad: true }];
    // The distance is unknown where the liquidation price is, and there is none where that is "none".
    const cellOf = ({ header, text }: TableColumn, row: HistoryRow) =>
      text(row) || (header === "distance" ? "" : "unknown");
    return rows.map((row) => ({ cells: [account, ...positionColumns.map((column) => cellOf(column, row))] }));
  });
  return { headers: ["account", ...positionColumns.map(({ header }) => header)], rows };
}

function largestBalances(source: Source, shown: Period): Cells {
  const prices = runToEnd(createPrices(source)(shown));
  const wallets = runToEnd(createWallets(source)(shown));
  const held = wallets.flatMap(({ account, wallet, isMoney, balances }) =>
    balances
      .filter(({ total }) => total === null || !isZero(total))
      .map(({ coin, total }) => {
        const price = isMoney ? prices.get(coin) : null;
        const value = total !== null && price ? multiply(total, price) : null;
        return {
          value,
          cells: [
            ...[account, wallet, coin, total === null ? "unknown" : amountText(total, coin)],
            value !== null ? moneyText(value) : price === null ? "–" : "unknown",
          ],
        };
      }),
  );
  const unknown = wallets
    .filter(({ known }) => !known)
    .map(({ account, wallet }) => ({ cells: [account, wallet, "", "unknown", ""], isBad: true }));
  held.sort((a, b) => compare(b.value ?? "-1", a.value ?? "-1"));
  return { headers: ["account", "wallet", "coin", "total", "USDT"], rows: [...unknown, ...held.slice(0, maxBalances)] };
}

const collecting = (freshness: readonly Freshness[], now: number): Cells => ({
  headers: ["account", "dataset", "state", "age", "next in"],
  rows: freshness.map(({ account, dataset, offered, fresh, ageMs, nextAt }) => ({
    cells: [
      account,
      dataset,
      offered ? (fresh ? "fresh" : "STALE") : "not offered",
      ageMs === null ? "never" : durationText(ageMs),
      durationText(nextAt - now),
    ],
    isBad: !fresh,
  })),
});

const workerTable = (workers: readonly WorkerStatus[]): Cells => ({
  headers: workerHeaders,
  rows: workers.map((one) => ({ cells: workerCells(one), isBad: one.state !== "live" })),
});

/** Returns one line per error message, naming the product types that share it. */
function describeFailures({ account, dataset }: Freshness, failures: readonly OpenFailure[]): string[] {
  return namesByText(failures.map(({ message, productType }) => [message, productType] as const)).map(
    ([message, names]) => `${account} ${dataset}${names.length > 0 ? ` (${names.join(", ")})` : ""}: ${message}`,
  );
}
