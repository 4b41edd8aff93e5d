/** Lists what happened to the accounts: money paid in and out, upgrades and alerts. The curve above has a flag for each. */
import { html } from "hono/html";
import { shownSentence } from "../../../alerts/messages.ts";
import type { Steps } from "../../../core/async/cooperate.ts";
import { absolute, isPositive } from "../../../core/decimal.ts";
import { escapeControlChars } from "../../../core/text.ts";
import type { Flow, FlowKind } from "../../../queries/flows.ts";
import type { Span } from "../../../store/history.ts";
import { merged, type PaidCache } from "../../curves/profit/paid.ts";
import { selectedAccounts } from "../../data/comparison-periods.ts";
import type { View } from "../../data/table.ts";
import { amountFigure, type Html, instantFigure } from "../parts/figure.ts";

/** The letter of a flag, so that it needs no colour. */
const flags = { D: "deposit", W: "withdrawal", T: "transfer", U: "upgrade", A: "alert" } as const;

interface Event {
  /** Epoch ms. */
  at: number;
  flag: keyof typeof flags;
  text: Html;
}

interface Events {
  /** Newest first, at most `maxEvents`. */
  shown: readonly Event[];
  /** Whether older ones are left out. */
  isCut: boolean;
  /** The accounts whose payments are unknown, because they have no ledger. */
  unknown: readonly string[];
  /** When other payments may be missing, oldest first. Both ends are included. */
  missing: readonly Span[];
}

const maxEvents = 200;
const maxMessages = 1000;

const flagOf: Readonly<Record<FlowKind, Event["flag"] | null>> = {
  deposit: "D",
  withdrawal: "W",
  transfer: "T",
  // Rewards are small and many.
  reward: null,
};

/** Reads the events of the selected accounts up to the shown instant. */
export function* readEvents(view: View, paid: PaidCache): Steps<Events> {
  const accounts = selectedAccounts(view);
  const events = [...upgradesOf(view, accounts), ...alertsOf(view)];
  const unknown: string[] = [];
  for (const account of accounts) {
    const flows = yield* paid.recorded(view.history, account, view.at);
    if (flows) events.push(...flows.flatMap((flow) => flowEvent(flow, view)));
    else unknown.push(account);
  }
  const first = view.history.firstSlot() ?? view.at;
  const { unknown: all } = yield* paid.of(view.history, accounts, view.at);
  const missing = merged(all).filter(({ to }) => to > first);
  events.sort((one, other) => other.at - one.at);
  return { shown: events.slice(0, maxEvents), isCut: events.length > maxEvents, unknown, missing };
}

function flowEvent({ account, kind, at, coin, amount, usdt, isPriced }: Flow, view: View): Event[] {
  const flag = flagOf[kind];
  if (flag === null) return [];
  const name = escapeControlChars(coin);
  const way = kind !== "transfer" ? kind : amount !== null && isPositive(amount) ? "transfer in" : "transfer out";
  const value =
    usdt !== null ? html`${amountFigure(absolute(usdt), view)} USDT` : isPriced ? "value unknown" : "no price";
  const sum =
    amount === null
      ? html`an unknown amount of ${name}`
      : html`${amountFigure(absolute(amount), view, coin)} ${name}${coin === "USDT" ? "" : html` (${value})`}`;
  return [{ at, flag, text: html`${escapeControlChars(account)}: ${way} of ${sum}` }];
}

function upgradesOf({ history, at }: View, accounts: readonly string[]): Event[] {
  return accounts.flatMap((account) =>
    history
      .accountModes(account)
      .filter(({ api, since }, place) => place > 0 && api === "v3" && since <= at)
      .map(({ since }) => ({
        at: since,
        flag: "U" as const,
        text: html`${escapeControlChars(account)}: upgraded to a unified account`,
      })),
  );
}

function alertsOf({ history, account, at: until, isNow, timezone }: View): Event[] {
  return history
    .lastMessages(maxMessages, { account, until: isNow ? null : until })
    .filter(({ state }) => state === "fired")
    .map((one) => ({
      at: one.at,
      flag: "A" as const,
      text: html`${escapeControlChars(shownSentence(one, timezone))}`,
    }));
}

export function eventsHtml({ timezone }: View, { shown, isCut, unknown, missing }: Events): Html {
  const names = unknown.map(escapeControlChars).join(", ");
  const spans = missing.map(
    ({ from, to }) =>
      html`${instantFigure(from, timezone)}${to === from ? "" : html` to ${instantFigure(to, timezone)}`}`,
  );
  return html`<details class="events"><summary>Events</summary>
<div id="events" data-live>
${
  shown.length === 0
    ? html`<p class="empty">No deposits, withdrawals, upgrades or alerts are recorded.</p>`
    : html`<ul class="scroll" tabindex="0" aria-label="Events, newest first">${shown.map((one) => eventHtml(one, timezone))}</ul>`
}
${isCut ? html`<p class="note">The newest ${maxEvents}. Older ones have no flag.</p>` : ""}
<p class="note">${
    unknown.length > 0
      ? html`What was paid in and out of ${names} is unknown, because the exchange's ledger was not collected.`
      : html`The dashed steps begin at the equity of the wallets with a ledger, and add what was paid in and out.`
  }</p>
${spans.map((span) => html`<p class="note">What was paid in and out is unknown at ${span}; after it the steps begin again.</p>`)}
</div></details>`;
}

const eventHtml = ({ at, flag, text }: Event, timezone: string): Html =>
  html`<li data-at="${at}" data-flag="${flag}"><b class="flag" title="${flags[flag]}">${flag}</b> ${instantFigure(at, timezone)} <span>${text}</span></li>\n`;
