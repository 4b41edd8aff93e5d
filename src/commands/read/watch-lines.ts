/** What `status --watch` shows: the account's value, its positions and balances, and how collecting goes. */
import { runToEnd } from "../../core/async/cooperate.ts";
import { compare, decimalIn, isPositive, isZero, multiply, subtract } from "../../core/decimal.ts";
import type { Digits } from "../../core/domain.ts";
import { durationText, namesByText, visible } from "../../core/text.ts";
import { equity } from "../../datasets/snapshots/equity.ts";
import { positions } from "../../datasets/snapshots/positions.ts";
import { type Close, createCloses, textOf } from "../../queries/close.ts";
import { equityOf, missingText, pricedPartOf, unpricedText } from "../../queries/equity.ts";
import { type Period, periodOf } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import { createWallets } from "../../queries/wallets.ts";
import { createPrices } from "../../reports/balances.ts";
import { liquidationDistance } from "../../reports/positions.ts";
import type { Freshness, HistoryRow, OpenFailure } from "../../store/history.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { formatTable } from "../shared/table.ts";

export type Tone = "plain" | "title" | "bad" | "faint";

/** No character in it can drive a terminal. */
export interface Line {
  text: string;
  tone: Tone;
}

/** Balances that are shown: those worth the most. */
const mostBalances = 8;

/** At `now`, epoch ms; days are those of the time zone. @throws ConfigError where there is no database of ours */
export function overviewLines(databasePath: string, timezone: string, now: number): Line[] {
  const history = openHistory(databasePath);
  try {
    const source: Source = { history, account: null, now };
    const today = periodOf(timezone, "day", now);
    const shown = { ...today, to: now + 1 };
    const yesterday = periodOf(timezone, "day", today.from - 1);
    const freshness = history.freshness(now);
    const failures = freshness.flatMap((one) => failuresInWords(one, history.openFailures(one)));
    return [
      { text: `${new Date(now).toISOString().slice(0, 19).replace("T", " ")} UTC`, tone: "title" },
      ...section(`Worth (change since ${yesterday.name})`, worth(source, shown, yesterday)),
      ...section("Open positions", openPositions(source, shown)),
      ...section(`Balances, the ${mostBalances} largest`, largestBalances(source, shown)),
      ...section("Collecting", collecting(freshness, now)),
      ...(failures.length === 0 ? [] : [blank, title("Open failures"), ...failures.map(bad)]),
    ];
  } finally {
    history.close();
  }
}

const blank: Line = { text: "", tone: "plain" };
const title = (text: string): Line => ({ text, tone: "title" });
const bad = (text: string): Line => ({ text: visible(text), tone: "bad" });

/** The heads, then the rows; a row with `isBad` is one to look at. */
interface Cells {
  heads: string[];
  rows: { cells: string[]; isBad?: boolean }[];
}

function section(name: string, { heads, rows }: Cells): Line[] {
  if (rows.length === 0) return [blank, title(name), { text: "none", tone: "faint" }];
  const [head = "", ...lines] = formatTable(
    heads,
    rows.map(({ cells }) => cells),
  );
  const tones = lines.map((text, n): Line => ({ text, tone: rows[n]?.isBad ? "bad" : "plain" }));
  return [blank, title(name), { text: head, tone: "faint" }, ...tones];
}

function worth(source: Source, shown: Period, yesterday: Period): Cells {
  const closesOf = createCloses(source, equity);
  const before = runToEnd(closesOf(yesterday));
  const rows = runToEnd(closesOf(shown)).map((closing) => {
    const now = equityOf(closing);
    const then = equityOf(before.find(({ account }) => account === closing.account));
    const change = now !== null && then !== null ? subtract(now, then) : null;
    return { cells: [closing.account, now ?? "unknown", signed(change), partText(closing)], isBad: now === null };
  });
  const isWhole = rows.every(({ cells }) => cells.at(-1) === "");
  return { heads: ["account", "USDT", "change", ...(isWhole ? [] : ["as far as it is known"])], rows };
}

/** "400 without AIRDROP 0.00000001 (no price)": what is known of an incomplete value. Empty where it is whole. */
function partText(closing: Close): string {
  const row = closing.rows[0];
  if (!row || equityOf(closing) !== null) return "";
  const [unpriced, missing] = [unpricedText(row), missingText(row)];
  const without = [unpriced && `${unpriced} (no price)`, missing && `${missing} (not known)`].filter(Boolean);
  return `${pricedPartOf(row) ?? "nothing"}${without.length > 0 ? ` without ${without.join(", ")}` : ""}`;
}

function openPositions(source: Source, shown: Period): Cells {
  const told = ["total", "leverage", "average_open_price", "mark_price", "unrealized_pl", "liquidation_price"];
  const rows = runToEnd(createCloses(source, positions)(shown)).flatMap(({ account, productType, known, rows }) => {
    if (!known) return [{ cells: [account, productType ?? "", "unknown", ...told.map(() => "")], isBad: true }];
    return rows.map((row) => ({ cells: positionCells(account, row, told) }));
  });
  return {
    heads: ["account", "symbol", "side", "size", "leverage", "entry", "mark", "PnL", "liquidation", "distance"],
    rows,
  };
}

function positionCells(account: string, row: HistoryRow, told: readonly string[]): string[] {
  const distance = liquidationDistance(row);
  const figures = told.map((name) => {
    const amount = decimalIn(row, name);
    // An exchange that says 0 or less means that there is no such price.
    return name === "liquidation_price" && amount !== null && !isPositive(amount) ? "none" : cut(amount, 4);
  });
  const side = `${textOf(row, "hold_side")} ${textOf(row, "margin_mode")}`;
  return [
    account,
    textOf(row, "symbol"),
    side,
    ...figures,
    distance === null ? "" : `${cut(multiply(distance, "100"), 2)} %`,
  ];
}

function largestBalances(source: Source, shown: Period): Cells {
  const prices = runToEnd(createPrices(source)(shown));
  const wallets = runToEnd(createWallets(source)(shown));
  const held = wallets.flatMap(({ account, wallet, isMoney, balances }) =>
    balances
      .filter(({ total }) => total === null || !isZero(total))
      .map(({ coin, total }) => {
        const price = isMoney ? prices.get(coin) : undefined;
        const value = total !== null && price !== undefined ? multiply(total, price) : null;
        return {
          value,
          cells: [account, wallet, coin, total ?? "unknown", value === null ? "unknown" : cut(value, 2)],
        };
      }),
  );
  const unread = wallets
    .filter(({ known }) => !known)
    .map(({ account, wallet }) => ({ cells: [account, wallet, "", "unknown", ""], isBad: true }));
  held.sort((a, b) => compare(b.value ?? "-1", a.value ?? "-1"));
  return { heads: ["account", "wallet", "coin", "total", "USDT"], rows: [...unread, ...held.slice(0, mostBalances)] };
}

const collecting = (freshness: readonly Freshness[], now: number): Cells => ({
  heads: ["account", "dataset", "state", "age", "next in"],
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

/** Product types that failed alike are named together. */
function failuresInWords({ account, dataset }: Freshness, failures: readonly OpenFailure[]): string[] {
  return namesByText(failures.map(({ message, productType }) => [message, productType] as const)).map(
    ([message, names]) => `${account} ${dataset}${names.length > 0 ? ` (${names.join(", ")})` : ""}: ${message}`,
  );
}

/** At most so many digits after the point; where more are left out, that is seen. */
function cut(digits: Digits | null, places: number): string {
  if (digits === null) return "unknown";
  const [whole = "", fraction = ""] = digits.split(".");
  const shown = fraction.slice(0, places);
  return `${whole}${shown && `.${shown}`}${/[1-9]/.test(fraction.slice(places)) ? "…" : ""}`;
}

const signed = (digits: Digits | null): string =>
  digits === null ? "unknown" : isPositive(digits) ? `+${digits}` : digits;
