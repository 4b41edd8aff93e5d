/**
 * Serves the bills of futures accounts as API v2 does: newest first, in windows of at most 30 days, paged by the id of the
 * last row, and removed after 90 days. The user of the simulator supplies the bills.
 */
import { dayMs } from "../../core/time.ts";
import type { Bill } from "../account/bill.ts";
import type { AccountView } from "../account/statement.ts";
import { refusals } from "../refusal.ts";
import { type Query, requiredParam, type ServedResponse, unrecorded } from "./endpoint.ts";

const longestSpan = 30 * dayMs;
const memory = 90 * dayMs;
const limits = { usual: 20, most: 100 };

export function bills({ bills: all, now }: AccountView, query: Query): ServedResponse {
  const category = requiredParam(query, "productType").toUpperCase();
  const { startTime, endTime, limit = String(limits.usual), idLessThan } = query;
  const from = Number(startTime ?? now - memory);
  const to = Number(endTime ?? now);
  if (startTime !== undefined && endTime !== undefined && to - from > longestSpan) throw refusals.spanTooLong();
  if (from < now - memory) throw refusals.tooOld();
  const last = all.find(({ row }) => row.billId === idLessThan);
  const listed = all
    .filter((bill) => bill.category === category && (bill.visibleAt ?? timeOf(bill)) <= now)
    .filter((bill) => timeOf(bill) >= from && timeOf(bill) <= to)
    .filter((bill) => idLessThan === undefined || (last !== undefined && newestFirst(last, bill) < 0))
    .sort(newestFirst);
  const page = listed.slice(0, Math.min(Number(limit), limits.most)).map(({ row }) => row);
  return unrecorded({ bills: page, endId: page.at(-1)?.billId ?? "" });
}

const timeOf = ({ row }: Bill): number => Number(row.cTime);

/** Ids have more digits than a number holds; of two at one time the longer, then the greater text is the newer one. */
function newestFirst(one: Bill, other: Bill): number {
  const [a, b] = [one.row.billId, other.row.billId];
  return timeOf(other) - timeOf(one) || b.length - a.length || (a < b ? 1 : -1);
}
