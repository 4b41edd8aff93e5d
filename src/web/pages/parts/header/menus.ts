/** Renders the menus of the header, which need no script: of accounts, and of dates. */
import { html } from "hono/html";
import { Temporal } from "temporal-polyfill";
import { escapeControlChars } from "../../../../core/text.ts";
import { dayMs } from "../../../../core/time.ts";
import { localText, periodOf } from "../../../../queries/periods.ts";
import type { View } from "../../../data/table.ts";
import type { Html } from "../figure.ts";
import { linkTo, stickyParams } from "../query-params.ts";

/** Where the links of the menus lead: the same page, with the parameters of its own. */
export interface MenuTarget {
  view: View;
  path: string;
  params: Record<string, string>;
  /** The page to which another account leads: its own, or that of all items if it shows an item of one account. */
  accountPath: string;
}

/** The number of accounts up to which each is a link; more are a list to choose from. */
const maxLinks = 30;

/** Returns the name of what is selected: the account, the only one there is, or all. */
export function accountName({ account, history }: View): string {
  const [first, ...others] = history.accounts();
  return account ?? (first !== undefined && others.length === 0 ? first : "All accounts");
}

export function accountMenu({ view, accountPath, path, params }: MenuTarget): Html {
  const accounts = view.history.accounts();
  const own = accountPath === path ? params : {};
  const names = [...(accounts.length === 1 ? [] : [null]), ...accounts];
  const choices =
    accounts.length > maxLinks
      ? html`<form action="${linkTo(accountPath)}">${hiddenInputs({ ...own, ...stickyParams({ ...view, account: null }) })}
<label>Account <select name="account"><option value="">All accounts</option>
${accounts.map((name) => html`<option${name === view.account ? html` selected` : ""}>${name}</option>`)}</select></label>
<button>Show</button></form>`
      : html`<ul>${names.map((name) => html`<li><a href="${linkTo(accountPath, own, stickyParams({ ...view, account: name }))}"${name === view.account || names.length === 1 ? html` aria-current="true"` : ""}>${name === null ? "All accounts" : escapeControlChars(name)}</a></li>`)}</ul>`;
  return html`<details class="menu account"><summary><span class="unseen">Account: </span><span class="name">${escapeControlChars(accountName(view))}</span></summary>
<div>${choices}</div></details>`;
}

/** Returns the step to the day before, the menu of dates, and the step to the day after. */
export function dateMenu(target: MenuTarget): Html {
  const { view, path, params } = target;
  const { timezone, now, isNow, at } = view;
  const kept = stickyParams(view);
  const to = (instant: number | null) =>
    linkTo(path, { ...kept, at: instant === null ? null : new Date(instant).toISOString() }, params);
  const first = view.history.firstSlot() ?? Number.POSITIVE_INFINITY;
  const [before, after] = [stepOf(view, -1), isNow ? null : stepOf(view, 1)];
  const closeOfMonth = periodOf(timezone, "month", now).from - 1;
  const choices: [label: string, at: number | null][] = [
    ["Now", null],
    ["Yesterday's close", periodOf(timezone, "day", now).from - 1],
    ["A week ago", now - weekMs],
    ["End of last month", closeOfMonth],
    ...(isNow
      ? []
      : [["A day earlier", before] as [string, number], ["A day later", after] as [string, number | null]]),
  ];
  const shown = localText(at, timezone).slice(0, 16);
  const isThisYear = localText(now, timezone).startsWith(shown.slice(0, 5));
  return html`<div class="date" role="group" aria-label="Shown date" data-keys>
${before >= first ? stepLink("‹", isNow ? "Yesterday's close" : "A day earlier", to(before)) : ""}
<details class="menu"><summary>${isNow ? "Now" : html`${isThisYear ? "" : html`<span class="year">${shown.slice(0, 5)}</span>`}${shown.slice(5)}`}</summary>
<div><ul>${choices
    .filter(([, instant]) => instant === null || (instant >= first && instant <= now))
    .map(
      ([label, instant]) =>
        html`<li><a href="${to(instant)}"${isNow && instant === null ? html` aria-current="true"` : ""}>${label}</a></li>`,
    )}</ul>
<form action="${linkTo(path)}">${hiddenInputs({ ...params, ...kept, at: null })}
<label>Date <input type="datetime-local" name="at" value="${shown.replace(" ", "T")}"></label>
<button>Go</button> <small>${timezone}</small></form></div></details>
${isNow ? "" : stepLink("›", after === null || after > now ? "Now" : "A day later", to(after !== null && after <= now ? after : null))}
<span class="zone">${timezone}</span>
</div>`;
}

const weekMs = 7 * dayMs;

/** Returns the same local time a day before or after; of the end of a day, the end of that day; before now, yesterday's end. */
function stepOf({ at, isNow, timezone }: View, days: 1 | -1): number {
  const today = periodOf(timezone, "day", at);
  if (isNow) return today.from - 1;
  if (at !== today.to - 1)
    return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone).add({ days }).epochMilliseconds;
  return days < 0 ? today.from - 1 : periodOf(timezone, "day", today.to).to - 1;
}

const stepLink = (mark: string, label: string, href: string): Html =>
  html`<a class="step" href="${href}" aria-label="${label}" title="${label}">${mark}</a>`;

const hiddenInputs = (params: Readonly<Record<string, string | null>>): Html =>
  html`${Object.entries(params).map(([name, value]) => (value === null ? "" : html`<input type="hidden" name="${name}" value="${value}">`))}`;
