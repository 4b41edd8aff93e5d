/**
 * Serves the bills of futures accounts as API v2 does: newest first, in windows of at most 30 days, paged by the id of the
 * last row, and removed after 90 days. The user of the simulator supplies the bills.
 */
import { dayMs } from "../../core/time.ts";
import type { Bill } from "../account/bill.ts";
import type { AccountView } from "../account/statement.ts";
import { refusals } from "../refusal.ts";
import { type Query, requiredParam, type ServedResponse, unrecorded } from "./endpoint.ts";

const maxSpanMs = 30 * dayMs;
const retentionMs = 90 * dayMs;
const pageSize = { default: 20, max: 100 };

export function bills({ bills: all, now }: AccountView, query: Query): ServedResponse {
  const category = requiredParam(query, "productType").toUpperCase();
  const { startTime, endTime, limit = String(pageSize.default), idLessThan } = query;
  const from = Number(startTime ?? now - retentionMs);
  const to = Number(endTime ?? now);
  if (startTime !== undefined && endTime !== undefined && to - from > maxSpanMs) throw refusals.spanTooLong();
  if (from < now - retentionMs) throw refusals.tooOld();
  const last = all.find(({ row }) => row.billId === idLessThan);
  const listed = all
    .filter((bill) => bill.category === category && (bill.visibleAt ?? timeOf(bill)) <= now)
    .filter((bill) => timeOf(bill) >= from && timeOf(bill) <= to)
    .filter((bill) => idLessThan === undefined || (last !== undefined && newestFirst(last, bill) < 0))
    .sort(newestFirst);
  const page = listed.slice(0, Math.min(Number(limit), pageSize.max)).map(({ row }) => row);
  return unrecorded({ bills: page, endId: page.at(-1)?.billId ?? "" });
}

const timeOf = ({ row }: Bill): number => Number(row.cTime);

/** Compares by time, then by id as text (the longer or greater one is newer), because ids have more digits than a number can hold. */
function newestFirst(one: Bill, other: Bill): number {
  const [a, b] = [one.row.billId, other.row.billId];
  return timeOf(other) - timeOf(one) || b.length - a.length || (a < b ? 1 : -1);
}
