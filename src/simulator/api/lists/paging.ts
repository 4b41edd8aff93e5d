/** Selects one page of a list as the exchange does: a window of time, the newest first, continued after the id of a row. */
import { dayMs } from "../../../core/time.ts";
import type { AccountView } from "../../account/statement.ts";
import type { Listed } from "../../list-faults.ts";
import { type Refusal, refusals } from "../../refusal.ts";
import { type Query, requiredParam } from "../endpoint.ts";

export interface ListRules {
  /** The parameter with the id of the row after which the page begins. */
  after: "idLessThan" | "cursor";
  /** The longest window. Days. */
  spanDays: number;
  /** How far back a window may begin, in days; null for any time. */
  retentionDays: number | null;
  pageSize: { default: number; max: number };
  /** True if both ends of the window are required. */
  needsTimes?: true;
  /** Default: the newest row of a page is its first one. */
  isOldestFirst?: true;
  /** Default: 00001. */
  tooLong?: (days: number) => Refusal;
  /** Default: 43111. */
  tooOld?: () => Refusal;
}

/** What the lists of v2 have in common. */
export const v2Rules = { after: "idLessThan", spanDays: 90, retentionDays: 90 } as const;

/** What the lists of v3 have in common. */
export const v3Rules = {
  after: "cursor",
  spanDays: 30,
  retentionDays: 90,
  pageSize: { default: 100, max: 100 },
  tooOld: refusals.illegalTimeRange,
} as const;

/** The items of a list, and what a query selects from them. */
export interface Selection<Item extends Listed> {
  /** Sorted by time and id. */
  items: readonly Item[];
  isWanted?: (item: Item) => boolean;
  query: Query;
  rules: ListRules;
  /** The time by which items are listed, epoch ms. Default: that of the accounts. */
  now?: number;
}

/**
 * Returns the page that a query selects, newest first unless the rules say otherwise; empty if it continues after an unknown id.
 * @throws Refusal if the window is too long or too old
 */
export function pageOf<Item extends Listed>(view: AccountView, selection: Selection<Item>): Item[] {
  const { query, rules, isWanted = () => true, now = view.instant } = selection;
  const { from, to } = windowOf(query, rules, view.now);
  const { [rules.after]: after, limit } = query;
  const size = Math.min(Number(limit ?? rules.pageSize.default), rules.pageSize.max);
  if (!(size >= 1)) throw refusals.badParameter("limit");
  const items = view.listFaults.inOrder(selection.items);
  const step = rules.isOldestFirst ? 1 : -1;
  const before = after === undefined ? null : items.findLastIndex(({ id }) => id === after);
  if (before === -1) return [];
  const page: Item[] = [];
  for (
    let index = before === null ? (step > 0 ? 0 : items.length - 1) : before + step;
    page.length < size;
    index += step
  ) {
    const item = items[index];
    if (!item || (step > 0 ? item.at > to : item.at < from)) break;
    if (item.at >= from && item.at <= to && view.listFaults.isListed(item, now) && isWanted(item)) page.push(item);
  }
  return page;
}

/** Returns whether a text is the one of a parameter, ignoring case; any is, if the parameter is not set. */
export const isOf = (wanted: string | undefined, text: string): boolean =>
  wanted === undefined || wanted.toUpperCase() === text.toUpperCase();

function windowOf(query: Query, rules: ListRules, now: number): { from: number; to: number } {
  const { spanDays, retentionDays, needsTimes, tooLong = refusals.spanTooLong, tooOld = refusals.tooOld } = rules;
  if (needsTimes) for (const name of ["startTime", "endTime"]) requiredParam(query, name);
  const { startTime, endTime } = query;
  const oldest = now - (retentionDays ?? Number.POSITIVE_INFINITY) * dayMs;
  const from = Number(startTime ?? oldest);
  const to = Number(endTime ?? now);
  if (startTime !== undefined && endTime !== undefined && to - from > spanDays * dayMs) throw tooLong(spanDays);
  if (from < oldest) throw tooOld();
  return { from, to };
}
