/** The lives of positions as the exchange told them, worked out by looking at one good snapshot after the other. */
import type { TrueRow } from "../../../src/simulator/simulator.ts";
import { keyOf, productTypes } from "../../support/declared.ts";
import { digitsOf, over, units } from "./exact.ts";
import { accounts } from "./trouble.ts";
import { iso, type TrueSnapshot, type Truth } from "./truth.ts";

type Life = TrueRow;

const identity = ["symbol", "margin_coin", "hold_side", "margin_mode"];

export const lives = (truth: Truth): Life[] =>
  accounts.flatMap((account) =>
    productTypes.flatMap((type) => {
      const isAsked = truth.retiredAt(account, "positions", type) === Infinity;
      return livesOf(truth.of(account, "positions", type), isAsked).map((life) => ({
        account,
        product_type: type,
        ...life,
      }));
    }),
  );

function livesOf(snapshots: readonly TrueSnapshot[], isAsked: boolean): Life[] {
  const closed: Life[] = [];
  let open = new Map<string, Life>();
  for (const { dataset, rows, takenAt } of snapshots) {
    const seen = new Map<string, Life>();
    for (const row of rows) {
      const key = keyOf(dataset, row);
      const life = open.get(key);
      seen.set(key, {
        ...withExtremes(life?.opened_at === row.opened_at ? life : undefined, row),
        last_seen_at: iso(takenAt),
      });
    }
    for (const [key, life] of open) {
      if (seen.get(key)?.opened_at === life.opened_at) continue;
      closed.push({
        ...life,
        ...untold,
        state: "closed",
        closed_after: life.last_seen_at ?? null,
        closed_before: iso(takenAt),
      });
    }
    open = seen;
  }
  const last = snapshots.at(-1);
  const goingOn = [...open.values()].map((life) => ({
    ...life,
    ...(isAsked ? {} : untold),
    state: isAsked ? "open" : "unknown",
    last_seen_at: iso(last?.takenAt ?? 0),
    closed_after: null,
    closed_before: null,
  }));
  return [...closed, ...goingOn];
}

/** What the closing trade brought is in no snapshot. */
const untold = { realized_pl: null, funding: null, fees: null };

function withExtremes(life: Life | undefined, row: TrueRow): Life {
  const results = { realized_pl: row.achieved_profits ?? null, funding: row.total_funding ?? null, fees: feesOf(row) };
  return {
    ...Object.fromEntries(identity.map((name) => [name, row[name] ?? null])),
    opened_at: row.opened_at ?? null,
    first_seen_at: life?.first_seen_at ?? row.taken_at ?? null,
    largest_total: extreme(life?.largest_total, row.total, 1n),
    average_open_price: row.average_open_price ?? null,
    worst_unrealized_pl: extreme(life?.worst_unrealized_pl, row.unrealized_pl, -1n),
    best_unrealized_pl: extreme(life?.best_unrealized_pl, row.unrealized_pl, 1n),
    closest_liquidation: extreme(life?.closest_liquidation, liquidationDistance(row), -1n),
    ...results,
    realized_pl_seen: results.realized_pl,
    funding_seen: results.funding,
    fees_seen: results.fees,
  };
}

type Cell = TrueRow[string] | undefined;

function extreme(before: Cell, now: Cell, sign: 1n | -1n): string | null {
  if (typeof now !== "string" || typeof before !== "string") return String(before ?? now ?? "") || null;
  return sign * units(now) > sign * units(before) ? now : before;
}

/** v2 tells what was paid, v3 the same below zero and in two parts. */
function feesOf({ deducted_fee, open_fee_total, close_fee_total }: TrueRow): string | null {
  if (typeof deducted_fee === "string") return deducted_fee;
  return digitsOf(-(units(String(open_fee_total)) + units(String(close_fee_total))));
}

/** How far the mark price is from liquidation, as a share of it to 16 places; null where there is no such price. */
export function liquidationDistance(row: TrueRow): string | null {
  const [mark, liquidation] = [units(String(row.mark_price)), units(String(row.liquidation_price))];
  if (mark <= 0n || liquidation <= 0n) return null;
  const distance = mark > liquidation ? mark - liquidation : liquidation - mark;
  return digitsOf(over(distance, mark));
}
