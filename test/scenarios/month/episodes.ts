/** Computes the expected position episodes from the good snapshots in order. */
import type { TrueRow } from "../../../src/simulator/simulator.ts";
import { keyOf, productTypes } from "../../support/declared.ts";
import { digitsOf, over, units } from "./exact.ts";
import { accounts } from "./failures.ts";
import { iso, type TrueSnapshot, type Truth } from "./truth.ts";

type Episode = TrueRow;

const identity = ["symbol", "margin_coin", "hold_side", "margin_mode"];

export const expectedEpisodes = (truth: Truth): Episode[] =>
  accounts.flatMap((account) =>
    productTypes.flatMap((type) => {
      const isAsked = truth.retiredAt(account, "positions", type) === Infinity;
      return episodesOf(truth.of(account, "positions", type), isAsked).map((episode) => ({
        account,
        product_type: type,
        ...episode,
      }));
    }),
  );

function episodesOf(snapshots: readonly TrueSnapshot[], isAsked: boolean): Episode[] {
  const closed: Episode[] = [];
  let open = new Map<string, Episode>();
  for (const { dataset, rows, takenAt } of snapshots) {
    const listed = new Map<string, Episode>();
    for (const row of rows) {
      const key = keyOf(dataset, row);
      const episode = open.get(key);
      listed.set(key, {
        ...withExtremes(episode?.opened_at === row.opened_at ? episode : undefined, row),
        last_seen_at: iso(takenAt),
      });
    }
    for (const [key, episode] of open) {
      if (listed.get(key)?.opened_at === episode.opened_at) continue;
      closed.push({
        ...episode,
        ...unknownResults,
        state: "closed",
        closed_after: episode.last_seen_at ?? null,
        closed_before: iso(takenAt),
      });
    }
    open = listed;
  }
  const last = snapshots.at(-1);
  const current = [...open.values()].map((episode) => ({
    ...episode,
    ...(isAsked ? {} : unknownResults),
    state: isAsked ? "open" : "unknown",
    last_seen_at: iso(last?.takenAt ?? 0),
    closed_after: null,
    closed_before: null,
  }));
  return [...closed, ...current];
}

/** The results of a closed position: no snapshot contains the closing trade. */
const unknownResults = { realized_pl: null, funding: null, fees: null };

function withExtremes(episode: Episode | undefined, row: TrueRow): Episode {
  const results = { realized_pl: row.achieved_profits ?? null, funding: row.total_funding ?? null, fees: feesOf(row) };
  return {
    ...Object.fromEntries(identity.map((name) => [name, row[name] ?? null])),
    opened_at: row.opened_at ?? null,
    first_seen_at: episode?.first_seen_at ?? row.taken_at ?? null,
    largest_total: extreme(episode?.largest_total, row.total, 1n),
    average_open_price: row.average_open_price ?? null,
    worst_unrealized_pl: extreme(episode?.worst_unrealized_pl, row.unrealized_pl, -1n),
    best_unrealized_pl: extreme(episode?.best_unrealized_pl, row.unrealized_pl, 1n),
    closest_liquidation: extreme(episode?.closest_liquidation, liquidationDistance(row), -1n),
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

/** API v2 sends the fees paid; v3 sends them negative and in two parts. */
function feesOf({ deducted_fee, open_fee_total, close_fee_total }: TrueRow): string | null {
  if (typeof deducted_fee === "string") return deducted_fee;
  return digitsOf(-(units(String(open_fee_total)) + units(String(close_fee_total))));
}

/** Returns the distance from mark price to liquidation as a share of the mark price, 16 places; null without a liquidation price. */
export function liquidationDistance(row: TrueRow): string | null {
  const [mark, liquidation] = [units(String(row.mark_price)), units(String(row.liquidation_price))];
  if (mark <= 0n || liquidation <= 0n) return null;
  const distance = mark > liquidation ? mark - liquidation : liquidation - mark;
  return digitsOf(over(distance, mark));
}
