/** Renders the present state of collecting: the pill and the bell of the header, and the banner above what is not of the present. */
import { html } from "hono/html";
import { publicAccount } from "../../../../core/domain.ts";
import { durationText } from "../../../../core/text.ts";
import { periodOf } from "../../../../queries/periods.ts";
import type { Freshness } from "../../../../store/history.ts";
import { openAlerts } from "../../../data/health/alerts.ts";
import { type CollectingState, collectingState } from "../../../data/health/state.ts";
import type { View } from "../../../data/table.ts";
import { type Html, instantFigure, localText } from "../figure.ts";
import { linkTo, stickyParams } from "../query-params.ts";

/** The parts of a page that depend on the state of collecting. */
export interface StateParts {
  kind: CollectingState["kind"];
  pill: Html;
  bell: Html;
  /** Empty while everything shown is of the present, and for a chosen instant. */
  banner: Html | "";
}

export function stateParts(view: View): StateParts {
  const state = collectingState(view);
  const banner = view.isNow ? bannerHtml(state, view) : "";
  return { kind: state.kind, pill: pillHtml(state, view), bell: bellHtml(view), banner };
}

const marks = { fresh: "●", stale: "▲", waiting: "▲", stopped: "■", empty: "○" };
const words = { fresh: "", stale: "Stale", waiting: "Waiting", stopped: "Stopped", empty: "No data" };
/** What a screen reader reads before the age of fresh data. */
const unseen = { fresh: "Up to date, newest data ", stale: "", waiting: "", stopped: "", empty: "" };

/** Returns the link to data health: `● 3 s`, `▲ Stale 14 min`, `■ Stopped 11:46`. */
function pillHtml(state: CollectingState, view: View): Html {
  const { kind, newestAt, staleAt } = state;
  const { now } = view;
  const since = kind === "stale" ? (state.stale[0]?.lastOkAt ?? state.stale[0]?.since) : newestAt;
  const isAge = kind === "fresh" || kind === "stale";
  const age = Math.max(0, now - (since ?? now));
  const detail = isAge
    ? html`<span data-age="${age}">${durationText(age)}</span>`
    : kind === "stopped" && newestAt !== null
      ? html`<time datetime="${new Date(newestAt).toISOString()}">${clockText(newestAt, view)}</time>`
      : "";
  // The page asks again when the data would become stale.
  const expiry = staleAt === null ? "" : html` data-stale-in="${Math.max(0, staleAt - now)}"`;
  const link = linkTo("/collection", stickyParams(view));
  return html`<a class="pill ${kind}" href="${link}"${expiry}><span aria-hidden="true">${marks[kind]}</span> <span class="unseen">${unseen[kind]}</span>${words[kind]} ${detail}</a>`;
}

/** Returns the time of day, or the date if it was another day: `11:46`, `28 Nov`. */
function clockText(at: number, { now, timezone }: View): string {
  if (at >= periodOf(timezone, "day", now).from) return localText(at, timezone).slice(11, 16);
  return new Intl.DateTimeFormat("en-GB", { timeZone: timezone, day: "numeric", month: "short" }).format(at);
}

/** Returns the link to the open alerts, with their number. */
function bellHtml(view: View): Html {
  const open = openAlerts(view).length;
  const label = `${open === 0 ? "No" : open} open alert${open === 1 ? "" : "s"}`;
  return html`<a class="bell${open > 0 ? " open" : ""}" href="${linkTo("/collection", stickyParams(view))}#alerts" aria-label="${label}" title="${label}"><svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true"><path d="M8 1.5a4 4 0 0 0-4 4c0 3.5-1.5 4.7-1.5 5.5h11c0-.8-1.5-2-1.5-5.5a4 4 0 0 0-4-4zM6.5 13a1.5 1.5 0 0 0 3 0" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round"/></svg>${open > 0 ? html`<span>${open}</span>` : ""}</a>`;
}

/** Returns why values are not of the present; "" if they are. */
function bannerHtml(state: CollectingState, view: View): Html | "" {
  const text = reasonHtml(state, view);
  if (text === "") return "";
  return html`<p class="instant ${state.kind}">${text} <a href="${linkTo("/collection", stickyParams(view))}">Data health</a></p>`;
}

function reasonHtml({ kind, newestAt, stale, reason, feeds, problem }: CollectingState, view: View): Html | "" {
  const isOld = stale.length > 0 ? " Values are the last known ones." : "";
  const why = problem === null ? "" : ` ${problem}`;
  if (kind === "stopped") {
    const since =
      newestAt === null
        ? ""
        : html` The newest data is of ${instantFigure(newestAt, view.timezone)}, ${durationText(Math.max(0, view.now - newestAt))} ago.`;
    return html`<strong>The collector is not running.</strong>${since}${isOld}${why}`;
  }
  if (kind === "waiting") return html`<strong>The collector is waiting.</strong>${why}`;
  if (kind === "empty") return html`<strong>No data collected yet.</strong>${why}`;
  if (stale.length === 0) return "";
  const count =
    stale.length === feeds
      ? `All ${feeds} feeds are`
      : `${stale.length} of ${feeds} feeds ${stale.length === 1 ? "is" : "are"}`;
  const names = stale.slice(0, shownFeeds).map((feed) => feedText(feed, view));
  const more = stale.length > shownFeeds ? `, and ${stale.length - shownFeeds} more` : "";
  return html`<strong>${count} stale:</strong> ${names.join(", ")}${more}.${reason ? ` ${asSentence(reason)}` : ""}${isOld}${why}`;
}

const shownFeeds = 3;

const feedText = ({ account, dataset, lastOkAt }: Freshness, { now }: View): string =>
  `${account === publicAccount ? "" : `${account} `}${dataset} (${lastOkAt === null ? "never read" : durationText(Math.max(0, now - lastOkAt))})`;

const maxReason = 160;

/** Returns a reason as a sentence, cut where it is long: data health has all of it. */
function asSentence(reason: string): string {
  const cut = reason.length > maxReason ? `${reason.slice(0, maxReason)}…` : reason;
  return /[.…!?]$/.test(cut) ? cut : `${cut}.`;
}
