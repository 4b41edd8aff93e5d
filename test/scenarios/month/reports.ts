/** Computes the expected rows of every report from the exchange's record, in any order. */
import type { DatasetName } from "../../../src/core/domain.ts";
import type { TrueRow } from "../../../src/simulator/simulator.ts";
import { keyOf } from "../../support/declared.ts";
import { calendar, type Period } from "./calendar.ts";
import { createClosings, text, totalOf } from "./closings.ts";
import { liquidationDistance } from "./episodes.ts";
import { digitsOf, times, units } from "./exact.ts";
import { accounts } from "./failures.ts";
import { series } from "./runs.ts";
import type { SimulatedMonth } from "./simulate.ts";
import { iso, type Truth } from "./truth.ts";

type Cell = string | number | null;
export type ReportRow = Cell[];

interface Item {
  item: Cell[];
  amounts: (string | null)[];
}

/** The subject of a change: a wallet, or the positions of a product type. `items` is null where they are unknown. */
interface Group {
  account: string;
  wallet: string;
  dataset: DatasetName;
  fields: string[];
  items: Map<string, Item> | null;
}

/** Prepares the expected reports over the whole month. */
export function createExpected(month: SimulatedMonth, truth: Truth, timezone: string, by: "day" | "month") {
  const { coverage, closesOf, walletsOf } = createClosings(month, truth);
  const periods = calendar(timezone, by, month.began, month.ended);
  const begin = periods[0]?.from ?? 0;
  /** Each period with the previous one. */
  const pairs = [...calendar(timezone, by, begin - 1, begin), ...periods]
    .map((period, at, all) => [all[at - 1] ?? period, period] as const)
    .slice(1);

  const tail = (period: Period, account: string, dataset: DatasetName): Cell[] => {
    const { counts, word } = coverage(period, account, dataset);
    return [counts[0] ?? 0, counts[1] ?? 0, word];
  };

  function* balances(): Generator<ReportRow> {
    for (const period of periods) {
      const prices = closesOf("prices", period).flatMap(({ last }) => last?.rows ?? []);
      for (const { account, wallet, dataset, last } of walletsOf(period)) {
        const row = (cells: Cell[]) => [period.name, account, wallet, ...cells, ...tail(period, account, dataset)];
        if (!last) yield row(Array(8).fill(null));
        for (const held of last?.rows ?? []) {
          const coin = text(held.coin ?? held.margin_coin);
          const price = coin === "USDT" ? "1" : text(prices.find((one) => one.coin === coin)?.price);
          const worth = totalOf(wallet, held);
          const usdt = wallet === "sumcbl" ? null : price;
          const value = worth === null || usdt === null ? null : digitsOf(times(units(worth), units(usdt)));
          const amounts = [text(held.available), text(held.frozen), text(held.locked), worth, usdt, value];
          yield row([coin, iso(last?.takenAt ?? 0), ...amounts]);
        }
      }
    }
  }

  function* positions(): Generator<ReportRow> {
    const amounts =
      "symbol margin_coin hold_side margin_mode total leverage margin average_open_price mark_price unrealized_pl achieved_profits liquidation_price";
    for (const period of periods) {
      for (const { account, scope, last } of closesOf("positions", period)) {
        const row = (cells: Cell[]) => [
          period.name,
          account,
          scope ?? null,
          ...cells,
          ...tail(period, account, "positions"),
        ];
        if (!last) yield row(Array(15).fill(null));
        for (const held of last?.rows ?? []) {
          const cells = amounts.split(" ").map((name) => text(held[name]));
          yield row([...cells, liquidationDistance(held), text(held.opened_at), text(held.taken_at)]);
        }
      }
    }
  }

  function* equity(): Generator<ReportRow> {
    const closing = (period: Period, account: string) =>
      closesOf("equity", period).find((one) => one.account === account)?.last?.rows[0];
    const worth = (row: TrueRow | undefined) => (row?.complete === 1 ? text(row.usdt_equity) : null);
    const unpriced = (row: TrueRow | undefined) =>
      row?.unpriced
        ? Object.entries(JSON.parse(String(row.unpriced)) as object)
            .map((one) => one.join(" "))
            .join("; ")
        : null;
    const missing = (row: TrueRow | undefined) =>
      row?.missing ? (JSON.parse(String(row.missing)) as string[]).join(", ") : null;
    for (const [yesterday, period] of pairs) {
      for (const account of accounts) {
        const row = closing(period, account);
        const [opening, end] = [worth(closing(yesterday, account)), worth(row)];
        const within = truth
          .of(account, "equity", null)
          .filter(({ takenAt, rows }) => takenAt >= period.from && takenAt < period.to && rows[0]?.complete === 1)
          .map(({ takenAt, rows }) => ({ at: iso(takenAt), value: String(rows[0]?.usdt_equity) }))
          .sort((a, b) => (a.at < b.at ? -1 : 1));
        const beyond = (sign: bigint) =>
          within.reduce<(typeof within)[number] | null>(
            (found, one) => (found && sign * units(one.value) <= sign * units(found.value) ? found : one),
            null,
          );
        const [lowest, highest] = [beyond(-1n), beyond(1n)];
        yield [
          ...[period.name, account, opening, end, opening && end && digitsOf(units(end) - units(opening))],
          ...["spot_usdt", "futures_usdt", "other_usdt"].map((name) => text(row?.[name])),
          ...[row?.complete ?? null, text(row?.taken_at)],
          ...[lowest?.value ?? null, lowest?.at ?? null, highest?.value ?? null, highest?.at ?? null],
          ...tail(period, account, "equity"),
          ...[text(row?.priced_usdt), unpriced(row), missing(row)],
        ];
      }
    }
  }

  function groupsOf(period: Period): Map<string, Group> {
    const groups = new Map<string, Group>();
    for (const { account, wallet, dataset, last } of walletsOf(period)) {
      const items = last?.rows.map((row): [string, Item] => {
        const coin = text(row.coin ?? row.margin_coin);
        return [String(coin), { item: [coin, null, null, null], amounts: [text(row.available), totalOf(wallet, row)] }];
      });
      groups.set(`${account} ${wallet}`, {
        account,
        wallet,
        dataset,
        fields: ["available", "total"],
        items: items ? new Map(items) : null,
      });
    }
    for (const { account, scope, last } of closesOf("positions", period)) {
      const wallet = scope ?? "futures";
      const items = last?.rows.map((row): [string, Item] => {
        const item = ["margin_coin", "symbol", "hold_side", "margin_mode"].map((name) => text(row[name]));
        return [keyOf("positions", row), { item, amounts: [text(row.total)] }];
      });
      groups.set(`${account} ${wallet} size`, {
        account,
        wallet,
        dataset: "positions",
        fields: ["size"],
        items: items ? new Map(items) : null,
      });
    }
    return groups;
  }

  function* changes(): Generator<ReportRow> {
    for (const [yesterday, period] of pairs) {
      const [was, is] = [groupsOf(yesterday), groupsOf(period)];
      for (const name of new Set([...was.keys(), ...is.keys()])) {
        const [a, b] = [was.get(name), is.get(name)];
        const { account, wallet, dataset, fields } = (b ?? a) as Group;
        const row = (cells: Cell[]) => [period.name, account, wallet, ...cells, ...tail(period, account, dataset)];
        if (!a?.items || !b?.items) {
          yield row(Array(8).fill(null));
          continue;
        }
        for (const key of new Set([...a.items.keys(), ...b.items.keys()])) {
          const [before, after] = [a.items.get(key), b.items.get(key)];
          for (const [at, field] of fields.entries()) {
            const opening = before ? (before.amounts[at] ?? null) : "0";
            const closing = after ? (after.amounts[at] ?? null) : "0";
            const change = opening === null || closing === null ? null : digitsOf(units(closing) - units(opening));
            if (opening === closing || change === "0") continue;
            yield row([...((after ?? before)?.item ?? []), field, opening, closing, change]);
          }
        }
      }
    }
  }

  function* coverages(): Generator<ReportRow> {
    for (const period of periods) {
      for (const { account, dataset } of series) {
        const { counts, word, causes } = coverage(period, account, dataset);
        yield [period.name, account, dataset, ...counts, word, causes.length > 0 ? causes.join("; ") : null];
      }
    }
  }

  return { periods, balances, positions, equity, changes, coverage: coverages };
}
