/** Computes position episodes the slow way, as a reference: row by row, with decimal arithmetic independent of the program's. */

export type Cells = Record<string, string | null>;

/** A good snapshot of one scope as the history view shows it; times are ISO 8601. */
export interface SnapshotRows {
  scope: string;
  takenAt: string;
  rows: Cells[];
}

const key = ["symbol", "margin_coin", "hold_side", "margin_mode"];
const nameOf = (scope: string, row: Cells): string => [scope, ...key.map((name) => row[name])].join("/");

/** Returns the episodes of `snapshots` (in order). Positions of a scope not in `requested` are in state `unknown` instead of `open`. */
export function referenceEpisodes(snapshots: readonly SnapshotRows[], requested: readonly string[]): Cells[] {
  const all: Cells[] = [];
  const open = new Map<string, Cells[]>();
  const last = new Map<string, string>();
  const end = (name: string, rows: Cells[], scope: string, closedBefore: string | null) => {
    all.push(
      referenceEpisode(scope, rows, {
        requested: requested.includes(scope),
        last: last.get(scope) ?? "",
        closedBefore,
      }),
    );
    open.delete(name);
  };
  for (const { scope, takenAt, rows } of snapshots) {
    const shown = new Map<string, Cells>(rows.map((row) => [nameOf(scope, row), { ...row, taken_at: takenAt }]));
    for (const [name, rows] of [...open].filter(([name]) => name.startsWith(`${scope}/`))) {
      const now = shown.get(name);
      const opened = rows.findLast(({ opened_at }) => opened_at !== null)?.opened_at ?? null;
      if (!now || (opened && now.opened_at && now.opened_at !== opened)) end(name, rows, scope, takenAt);
    }
    for (const [name, row] of shown) open.set(name, [...(open.get(name) ?? []), row]);
    last.set(scope, takenAt);
  }
  for (const [name, rows] of open) end(name, rows, name.split("/")[0] ?? "", null);
  return all;
}

function referenceEpisode(
  scope: string,
  rows: readonly Cells[],
  end: { requested: boolean; last: string; closedBefore: string | null },
): Cells {
  const newest = rows.at(-1) ?? {};
  const { closedBefore, last } = end;
  const known = (name: string) => rows.flatMap((row) => row[name] ?? []);
  const state = closedBefore ? "closed" : end.requested ? "open" : "unknown";
  const reported = {
    realized_pl: newest.achieved_profits ?? null,
    funding: newest.total_funding ?? null,
    fees: newest.deducted_fee ?? negatedSum(newest.open_fee_total ?? null, newest.close_fee_total ?? null),
  };
  return {
    product_type: scope,
    ...Object.fromEntries(key.map((name) => [name, newest[name] ?? null])),
    state,
    opened_at: known("opened_at")[0] ?? null,
    first_seen_at: rows[0]?.taken_at ?? null,
    last_seen_at: last,
    closed_after: closedBefore && last,
    closed_before: closedBefore,
    largest_total: extreme(known("total"), 1n),
    average_open_price: newest.average_open_price ?? null,
    worst_unrealized_pl: extreme(known("unrealized_pl"), -1n),
    best_unrealized_pl: extreme(known("unrealized_pl"), 1n),
    closest_liquidation: extreme(rows.flatMap(distance), -1n),
    ...Object.fromEntries(Object.entries(reported).map(([name, value]) => [name, state === "open" ? value : null])),
    ...Object.fromEntries(Object.entries(reported).map(([name, value]) => [`${name}_seen`, value])),
  };
}

const places = 64;

function scaled(text: string): bigint {
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const value = BigInt(whole + fraction.padEnd(places, "0"));
  return text.startsWith("-") ? -value : value;
}

function formatScaled(value: bigint, point: number): string {
  const digits = String(value < 0n ? -value : value).padStart(point + 1, "0");
  const fraction = digits.slice(-point).replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -point)}${fraction && `.${fraction}`}`;
}

/** Returns the first of the highest values, or with -1 of the lowest; null for none. */
const extreme = (all: readonly string[], sign: 1n | -1n): string | null =>
  all.reduce<string | null>((a, b) => (a === null || sign * scaled(b) > sign * scaled(a) ? b : a), null);

const negatedSum = (open: string | null, close: string | null): string | null =>
  open === null || close === null ? null : formatScaled(-scaled(open) - scaled(close), places);

function distance({ mark_price: mark, liquidation_price: liquidation }: Cells): string[] {
  if (!mark || !liquidation || scaled(mark) <= 0n || scaled(liquidation) <= 0n) return [];
  const apart = scaled(mark) - scaled(liquidation);
  const doubled = (2n * 10n ** 16n * (apart < 0n ? -apart : apart)) / scaled(mark);
  return [formatScaled((doubled + 1n) / 2n, 16)];
}
