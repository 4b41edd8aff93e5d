/** Renders the tiles at the top of the overview: equity, what was made, and the drawdown. */
import { html } from "hono/html";
import { Temporal } from "temporal-polyfill";
import { decimalIn, isPositive, isZero, sumOf } from "../../../core/decimal.ts";
import { durationText } from "../../../core/text.ts";
import { minuteMs } from "../../../core/time.ts";
import { withCodeNamed } from "../../../output/labels.ts";
import { ledgerProofText } from "../../../queries/ledger-proof.ts";
import type { HistoryRow } from "../../../store/history.ts";
import type { Totals } from "../../data/equity.ts";
import { isMoneyRow } from "../../data/positions/open.ts";
import { days as allDays, type Result, type Results } from "../../data/results/results.ts";
import type { View } from "../../data/table.ts";
import {
  ageHtml,
  amountFigure,
  type Html,
  lastKnownHtml,
  localText,
  none,
  profitFigure,
  shareFigure,
  unknown,
} from "../parts/figure.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { wasCollected } from "../positions/open.ts";

interface Tile {
  label: string;
  value: Html;
  /** What explains the value, a line each. */
  lines: (Html | "")[];
  /** The page that shows more of it. */
  path: string;
}

export interface TilesData {
  totals: Totals;
  results: Results;
  /** The open positions. */
  positions: readonly HistoryRow[];
}

export function tilesHtml(view: View, { totals, results, positions }: TilesData): Html {
  const { today, week, month } = results;
  const isStale = totals.lastKnown !== null;
  // The age of the last known values says it already.
  const isAllOld = isStale && totals.now.knownPart === null;
  const missing = totals.now.missing.filter((sentence) => !isAllOld || !sentence.endsWith("no recent data"));
  const tiles: Tile[] = [
    resultTile("Today", today, view, isStale),
    resultTile("7 days", week, view, isStale),
    resultTile("30 days", month, view, isStale),
    unrealizedTile(positions, view),
    realizedTile(results, view, isStale),
    drawdownTile(results, view),
  ];
  return html`<section id="headline" data-live aria-label="Summary">
<ul class="tiles">
<li class="equity">${equityHtml(totals, view)}</li>
${tiles.map(
  ({ label, value, lines, path }) => html`<li><a class="label" href="${linkTo(path, stickyParams(view))}">${label}</a>
<span class="value">${value}</span>
${lines.map((line) => (line === "" ? "" : html`<small>${line}</small>`))}</li>\n`,
)}
</ul>
${missing.length === 0 ? "" : html`<ul class="missing">${missing.map((sentence) => html`<li>${sentence}</li>`)}</ul>`}
${ledgerLine(view)}
</section>`;
}

function equityHtml({ now, lastKnown }: Totals, view: View): Html {
  const last = lastKnown && lastKnownHtml(amountFigure(lastKnown.value, view), lastKnown.at, view);
  const isIncomplete = now.value === null && now.knownPart !== null;
  const value = now.value === null ? unknown(isIncomplete ? "incomplete" : "unknown") : amountFigure(now.value, view);
  return html`<span class="label">Equity, USDT</span>
<span class="value">${isIncomplete ? value : (last ?? value)}</span>
${isIncomplete ? html`<small class="part"><span class="label">Partial equity</span> ${amountFigure(now.knownPart ?? "", view)}</small>` : ""}
${isIncomplete && last ? html`<small><span class="label">Last complete</span> ${last}</small>` : ""}
${now.takenAt === null ? "" : html`<small title="${localText(now.takenAt, view.timezone)} ${view.timezone}">Updated ${ageHtml(now.takenAt, view)}</small>`}`;
}

/** Shows what was made since a day, or where flows are unknown, how the equity changed. */
function resultTile(name: string, result: Result | null, view: View, isStale: boolean): Tile {
  const { profit, change, share, cause } = result ?? { profit: null, change: null, share: null, cause: null };
  const value = profit ?? change;
  if (!result || value === null) return { label: name, value: unknown(), lines: [], path: "/performance" };
  const figure = profitFigure(value, view);
  const percent = share === null ? "" : signed(share, view);
  return {
    label: name,
    value: isStale ? lastKnownHtml(figure, result.to, view) : figure,
    path: "/performance",
    lines: [
      profit === null ? html`equity change ${percent}` : percent,
      sinceHtml(result, view, { isToday: name === "Today", isStale }),
      ...(profit === null
        ? [html`paid in and out: not known (${withCodeNamed(cause ?? "")})`]
        : flowLines(result, view)),
    ],
  };
}

const signed = (share: string, view: View): Html => html`${isPositive(share) ? "+" : ""}${shareFigure(share, view)}`;

const flowLines = ({ paidIn, paidOut }: Result, view: View): (Html | "")[] => [
  isZero(paidIn) ? "" : html`paid in +${amountFigure(paidIn, view)}`,
  isZero(paidOut) ? "" : html`paid out ${amountFigure(paidOut, view)}`,
];

/** Shows since when, and where flows are known only up to earlier, up to when. */
function sinceHtml(
  { from, to, isOnTime, profit }: Result,
  view: View,
  { isToday, isStale }: { isToday: boolean; isStale: boolean },
): Html {
  const { timezone, at } = view;
  const since = isOnTime ? (isToday ? "00:00" : dayText(from + dayShiftMs, timezone)) : minuteText(from, timezone);
  const isLate = !isStale && profit !== null && at - to > 10 * minuteMs;
  return html`since ${since}${isLate ? ` to ${minuteText(to, timezone)}` : ""}`;
}

/** The opening of a day is a snapshot of the evening before. Milliseconds. */
const dayShiftMs = 12 * 60 * minuteMs;

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Returns the local date of a time (epoch ms), such as "23 Nov". */
function dayText(at: number, timezone: string): string {
  const { day, month } = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone);
  return `${day} ${months[month - 1]}`;
}

const minuteText = (at: number, timezone: string): string =>
  `${dayText(at, timezone)} ${localText(at, timezone).slice(11, 16)}`;

const countText = (count: number): Html => html`${count} ${count === 1 ? "position" : "positions"}`;

function unrealizedTile(positions: readonly HistoryRow[], view: View): Tile {
  if (!wasCollected(view)) return { label: "Unrealised", value: unknown(), lines: [], path: "/positions" };
  const counted = positions.filter((row) => row.symbol && isMoneyRow(row));
  const hasUnknown = positions.some((row) => !row.symbol && !row.last_known_at && isMoneyRow(row));
  const value = hasUnknown ? null : sumOf(counted.map((row) => decimalIn(row, "usdt_unrealized_pl")));
  const [old] = counted
    .map((row) => row.last_known_at)
    .filter((time) => time)
    .sort();
  const figure = value === null ? unknown() : profitFigure(value, view);
  return {
    label: "Unrealised",
    value: old && value !== null ? lastKnownHtml(figure, String(old), view) : figure,
    // Nothing known is not a count of 0.
    lines: hasUnknown && counted.length === 0 ? [] : [countText(counted.length)],
    path: "/positions",
  };
}

function realizedTile({ realized: { value, days, from, causes } }: Results, view: View, isStale: boolean): Tile {
  const isShort = from !== null && days < allDays && causes.length === 0;
  const cause = causeText(causes);
  return {
    label: value === null || days === allDays ? `Realised, ${allDays} days` : `Realised, ${days} of ${allDays} days`,
    value:
      value !== null
        ? html`<span${isStale ? html` class="last-known"` : ""}>${profitFigure(value, view)}</span>`
        : none("–", cause ?? ""),
    lines: [
      value === null ? html`${cause ?? "from the first whole day on"}` : html`after fees and funding`,
      isShort ? html`since ${dayText(from, view.timezone)}` : "",
      value !== null && cause !== null ? html`other days not known (${cause})` : "",
    ],
    path: "/performance",
  };
}

/** Returns the first cause and the number of the others, which the page of the performance lists; null without any. */
function causeText([first, ...others]: readonly string[]): string | null {
  return first === undefined
    ? null
    : `${withCodeNamed(first)}${others.length > 0 ? `, and ${others.length} more` : ""}`;
}

function drawdownTile({ drawdown, month }: Results, view: View): Tile {
  const label = "Drawdown, 30 days";
  if (!drawdown) return { label, value: unknown(), lines: [], path: "/performance" };
  const { now, largest, since, leftOutMs, isWithoutFlows } = drawdown;
  const isShort = !month || since > month.from;
  return {
    label,
    value: isZero(now) ? html`0 %` : shareFigure(now, view, "up"),
    lines: [
      isZero(largest.depth)
        ? html`at the peak of 30 days`
        : html`max ${shareFigure(largest.depth, view, "up")}, ${dayText(largest.lowestAt, view.timezone)}`,
      isShort ? html`since ${minuteText(since, view.timezone)}` : "",
      isWithoutFlows ? "" : html`flows included`,
      leftOutMs === 0 ? "" : html`without ${durationText(leftOutMs)} not known`,
    ],
    path: "/performance",
  };
}

/** Returns how much of the exchange's ledger is proven, with a link to its page; nothing for an instant in the past, or without a ledger. */
function ledgerLine(view: View): Html | "" {
  const { account, history, isNow } = view;
  const proofs = isNow ? history.ledgerProofs() : [];
  const text = ledgerProofText(proofs.filter((one) => account === null || one.account === account));
  const link = linkTo("/reconciliation", stickyParams(view));
  return text === null ? "" : html`<p class="aside">The exchange's ledger: <a href="${link}">${text}</a></p>`;
}
