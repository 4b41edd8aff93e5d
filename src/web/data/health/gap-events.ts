/** Defines the table of outages: gaps of any number of feeds that overlap and have the same cause are one event. */
import { pause } from "../../../core/async/cooperate.ts";
import { sum } from "../../../core/decimal.ts";
import { publicAccount } from "../../../core/domain.ts";
import { minuteMs } from "../../../core/time.ts";
import { positions } from "../../../datasets/snapshots/positions.ts";
import { instantText } from "../../../queries/close.ts";
import type { HistoryReader, HistoryRow, NamedGap, Series } from "../../../store/history.ts";
import { amount, count, type DataTable, duration, instant, text, type View } from "../table.ts";
import { isSelected } from "./collection.ts";
import { gapsOf } from "./gaps.ts";

/** Gaps of one cause that begin this long after the end of another one still belong to its event. Milliseconds. */
const toleranceMs = minuteMs;

/** A span in which feeds had no good snapshot, for one cause. Epoch ms; `to` is null while it lasts. */
interface Outage {
  from: number;
  to: number | null;
  cause: string;
  slots: number;
  gaps: NamedGap[];
}

export const outages: DataTable = {
  name: "outages",
  summary: "gaps by event over 31 days, newest first: one row for all feeds that had no good snapshot for one cause",
  columns: [
    instant("from_at", "From"),
    instant("to_at", "To"),
    duration("lasted_ms", "Lasted"),
    text("cause", "Cause"),
    text("feeds", "Feeds"),
    count("slots", "Slots"),
    amount("held_usdt", "Equity before"),
    count("held_positions", "Positions before"),
  ],
  *rows(view) {
    const { history, at } = view;
    const found = yield* outagesOf(view);
    const selected = history.series(null).filter((one) => isSelected(one, view.account));
    const schedules = new Map(selected.map((one) => [one, history.schedules(one.id)]));
    for (const outage of found) {
      const { from, to, cause, slots } = outage;
      const isDue = (one: Series) =>
        (schedules.get(one) ?? []).some(({ pattern, since, until }) => {
          const next = pattern.next(Math.max(since, from - 1));
          return next <= Math.min(until, to ?? at);
        });
      yield {
        from_at: instantText(from),
        to_at: instantText(to),
        lasted_ms: BigInt(Math.max(0, (to ?? at) - from)),
        cause,
        feeds: feedsText(outage, selected.filter(isDue).length),
        slots: BigInt(slots),
        ...heldBefore(history, outage),
      };
      yield pause;
    }
  },
};

/** Returns the events of the last 31 days, newest first. */
function* outagesOf(view: View): Generator<typeof pause, Outage[]> {
  const { at } = view;
  const outages: Outage[] = [];
  const newest = new Map<string, Outage>();
  // The gaps are in descending order of their first slots: one that belongs to an event begins before it, or with it.
  for (const gap of gapsOf(view)) {
    if (gap === pause) {
      yield pause;
      continue;
    }
    const current = newest.get(gap.cause);
    if (current && (gap.toSlot ?? at) + toleranceMs >= current.from) {
      current.from = Math.min(current.from, gap.fromSlot);
      current.to = current.to === null || gap.toSlot === null ? null : Math.max(current.to, gap.toSlot);
      current.slots += gap.slots;
      current.gaps.push(gap);
    } else {
      const outage = { from: gap.fromSlot, to: gap.toSlot, cause: gap.cause, slots: gap.slots, gaps: [gap] };
      newest.set(gap.cause, outage);
      outages.push(outage);
    }
    yield pause;
  }
  return outages.sort((one, other) => other.from - one.from);
}

/** Names the feeds: all that were due (`all` is their number), or the datasets of each account with the product types that failed alone. */
function feedsText({ gaps }: Outage, all: number): string {
  const names = new Set(gaps.map(({ account, dataset }) => `${account} ${dataset}`));
  if (names.size > 1 && names.size >= all) return `all ${names.size} feeds`;
  const byAccount = new Map<string, NamedGap[]>();
  for (const gap of gaps) byAccount.set(gap.account, [...(byAccount.get(gap.account) ?? []), gap]);
  return [...byAccount]
    .map(([account, own]) => {
      const datasets = [
        ...new Set(own.map(({ dataset, productType }) => (productType ? `${dataset} of ${productType}` : dataset))),
      ];
      return `${account}: ${datasets.join(", ")}`;
    })
    .join("; ");
}

/** Returns what the accounts concerned held at their last snapshots before; null where that is unknown. */
function heldBefore(history: HistoryReader, { from, gaps }: Outage): HistoryRow {
  const accounts = [...new Set(gaps.map(({ account }) => account))].filter((account) => account !== publicAccount);
  const equities = accounts.map((account) => history.lastCompleteEquities(account, from - 1)[0]?.value ?? null);
  const known = equities.filter((value) => value !== null);
  const states = accounts.map((account) => history.asOf(positions, { account }, from - 1));
  const isKnown =
    states.length > 0 && states.every(({ scopes }) => scopes.length > 0 && scopes.every((one) => one.known));
  return {
    held_usdt: known.length > 0 && known.length === equities.length ? sum(known) : null,
    held_positions: isKnown ? BigInt(states.reduce((all, { rows }) => all + rows.length, 0)) : null,
  };
}
