/** Parses and validates the query parameters of pages and API, and builds links. */
import type { Context } from "hono";
import { Temporal } from "temporal-polyfill";
import { startOfDate } from "../../../queries/periods.ts";
import type { HistoryReader } from "../../../store/history.ts";
import type { DaemonState } from "../../daemon-state.ts";
import type { View } from "../../data/table.ts";
import { badRequest, invalidParam, notFound, type Site } from "../../site.ts";
import { checkParams } from "./param-rules.ts";

/** Parameters that identify an item or select rows; each table defines which it needs. */
const paramNames = [
  "wallet",
  "coin",
  "product_type",
  "symbol",
  "margin_coin",
  "hold_side",
  "margin_mode",
  "first_seen_at",
  "verdict",
  "allocation",
  "period",
  "show",
  "q",
  "sort",
  "page",
  "open_page",
  "state",
  "day",
  "span",
  "by",
];

/** Parameters that may be given more than once, as forms do, or separated by commas. */
const listNames = ["cols", "open_cols"];

export interface PageQuery {
  account: string | null;
  /** The shown instant, epoch ms; null is now. */
  at: number | null;
  /** Whether figures have every digit. */
  isExact: boolean;
  params: Record<string, string>;
}

/** Parses the parameters that all pages share. @throws HTTPException 400 */
export function parsePageQuery(c: Context, { timezone, now }: Site): PageQuery {
  const account = textParam(c, "account");
  const at = textParam(c, "at");
  const digits = textParam(c, "digits");
  if (digits !== null && digits !== "all") throw invalidParam("digits", digits, "all");
  const params = paramNames.flatMap((name): [string, string][] => {
    const text = textParam(c, name);
    return text === null ? [] : [[name, text]];
  });
  for (const name of listNames) {
    const list = c.req.queries(name)?.join(",") ?? "";
    if (list.length > 4 * maxLength) throw badRequest(`"${name}" is longer than ${4 * maxLength} characters.`);
    if (list !== "") params.push([name, list]);
  }
  checkParams(c.req.path, Object.fromEntries(params));
  return {
    account,
    at: at === null ? null : instantParam(at, timezone, now()),
    isExact: digits !== null,
    params: Object.fromEntries(params),
  };
}

/** Returns what the request selects from the database; API responses need no `daemon`. @throws HTTPException 404 if the account is not in it */
export function createView(
  history: HistoryReader,
  query: PageQuery,
  site: Pick<Site, "timezone" | "now">,
  daemon: DaemonState = { daemon: "unknown" },
): View {
  const { account, at, isExact, params } = query;
  const now = site.now();
  if (account !== null && !history.accounts().includes(account))
    throw notFound(`No account "${account}" in this database.`);
  const { timezone } = site;
  return { history, account, at: at ?? now, isNow: at === null, now, daemon, timezone, isExact, params };
}

const maxLength = 128;

/** Returns a parameter, or null if it is missing or empty, as forms send it. @throws HTTPException 400 */
export function textParam(c: Context, name: string): string | null {
  const [text, ...others] = c.req.queries(name) ?? [];
  if (others.length > 0) throw badRequest(`"${name}" is given more than once.`);
  if (text === undefined || text === "") return null;
  if (text.length > maxLength) throw badRequest(`"${name}" is longer than ${maxLength} characters.`);
  return text;
}

/** Returns an integer parameter from `min` to `max`, or `fallback` if it is missing. @throws HTTPException 400 */
export function integerParam(c: Context, name: string, min: number, max: number, fallback: number): number {
  const text = textParam(c, name);
  if (text === null) return fallback;
  const number = /^\d{1,16}$/.test(text) ? Number.parseInt(text, 10) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw invalidParam(name, text, `an integer from ${min} to ${max}`);
}

/**
 * Returns a time in epoch ms: local time as `datetime-local` sends it, a time with an offset, or a date, which means its start.
 * @throws HTTPException 400
 */
function instantParam(text: string, timezone: string, now: number): number {
  const at = parseInstant(text, timezone);
  if (at === null)
    throw invalidParam("at", text, `a time such as 2026-11-01T12:30 (${timezone}) or 2026-11-01T12:30:00Z`);
  if (at < 0) throw badRequest(`"at" is before 1970.`);
  if (at > now) throw badRequest(`"at" is in the future.`);
  return at;
}

function parseInstant(text: string, timezone: string): number | null {
  const midnight = startOfDate(text, timezone);
  if (midnight !== null) return midnight;
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$/.test(text)) return null;
  try {
    return /(Z|[+-]\d\d:\d\d)$/.test(text)
      ? Temporal.Instant.from(text).epochMilliseconds
      : Temporal.PlainDateTime.from(text).toZonedDateTime(timezone).epochMilliseconds;
  } catch {
    return null;
  }
}

/**
 * Returns a link to a page (`/balances`) with query parameters, such as `?account=main&at=…`; empty ones are omitted. The link is
 * relative and every page is directly below the root, so that links work below any path of a proxy.
 */
export function linkTo(path: string, ...parts: readonly Readonly<Record<string, unknown>>[]): string {
  const relative = path.replace(/^\//, "") || "./";
  const all = Object.entries(Object.assign({}, ...parts)).flatMap(([name, value]): [string, string][] =>
    value === null || value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return all.length > 0 ? `${relative}?${new URLSearchParams(all)}` : relative;
}

/** Returns the parameters that links to other pages keep: the account, the date if one was chosen, and whether figures have every digit. */
export const stickyParams = ({ account, at, isNow, isExact }: Pick<View, "account" | "at" | "isNow" | "isExact">) => ({
  account,
  at: isNow ? null : new Date(at).toISOString(),
  digits: isExact ? "all" : null,
});
