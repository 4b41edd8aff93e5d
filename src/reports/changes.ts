/**
 * Compares each close with the previous one. A coin or position that a known close does not contain counts as "0"; if either close is
 * unknown, there is one row with empty cells for the whole wallet.
 */
import type { Steps } from "../core/async/cooperate.ts";
import { compare, decimalIn, subtract } from "../core/decimal.ts";
import type { Cell, DatasetName, DecimalString } from "../core/domain.ts";
import { positions } from "../datasets/snapshots/positions.ts";
import { createCloses, textOf } from "../queries/close.ts";
import { coverageColumns, createCoverage } from "../queries/coverage.ts";
import { type Period, periodOf, periodsOf } from "../queries/periods.ts";
import type { Source } from "../queries/source.ts";
import { createWallets } from "../queries/wallets.ts";
import type { Report } from "./report.ts";

/** One item and its amounts, in the order of `fields`. */
interface Holding {
  /** Cells of `itemColumns`. */
  item: Cell[];
  amounts: (DecimalString | null)[];
}

/** A wallet, or the positions of a product type, at a close. */
interface Group {
  account: string;
  wallet: string;
  dataset: DatasetName;
  fields: readonly string[];
  known: boolean;
  holdings: Map<string, Holding>;
}

const itemColumns = ["coin", "symbol", "hold_side", "margin_mode"];

export const changes: Report = {
  name: "changes",
  summary: "changes of balances and position sizes from close to close",
  columns: ["day", "account", "wallet", ...itemColumns, "field", "opening", "closing", "change", ...coverageColumns],
  *rows(source, span) {
    const groupsAt = createGroups(source);
    const coverage = createCoverage(source);
    let before: Map<string, Group> | null = null;
    for (const period of periodsOf(span)) {
      before ??= yield* groupsAt(periodOf(span.timezone, span.by, period.from - 1));
      const after = yield* groupsAt(period);
      for (const name of new Set([...before.keys(), ...after.keys()])) {
        const group = after.get(name) ?? before.get(name);
        if (!group) continue;
        const tail = yield* coverage.cells(period, group.account, group.dataset);
        for (const cells of differences(group.fields, before.get(name), after.get(name)))
          yield [period.name, group.account, group.wallet, ...cells, ...tail];
      }
      before = after;
    }
  },
};

function* differences(fields: readonly string[], before?: Group, after?: Group): Generator<Cell[], void> {
  if (!before?.known || !after?.known) {
    yield [...itemColumns, "field", "opening", "closing", "change"].map(() => null);
    return;
  }
  for (const key of [...new Set([...before.holdings.keys(), ...after.holdings.keys()])].sort()) {
    const [was, is] = [before.holdings.get(key), after.holdings.get(key)];
    for (const [at, field] of fields.entries()) {
      const opening = was ? (was.amounts[at] ?? null) : "0";
      const closing = is ? (is.amounts[at] ?? null) : "0";
      const change = opening === null || closing === null ? null : subtract(closing, opening);
      if (opening === closing || (change !== null && compare(change, "0") === 0)) continue;
      yield [...((is ?? was)?.item ?? []), field, opening, closing, change];
    }
  }
}

/** Returns a function that gives the groups at a close, by a name that is the same at every close. */
function createGroups(source: Source): (period: Period) => Steps<Map<string, Group>> {
  const walletsAt = createWallets(source);
  const positionsAt = createCloses(source, positions);
  return function* (period) {
    const groups = new Map<string, Group>();
    for (const { account, wallet, dataset, known, balances } of yield* walletsAt(period)) {
      const fields = ["available", "total"];
      const holdings = new Map(
        balances.map(({ coin, available, total }): [string, Holding] => [
          coin,
          { item: [coin, null, null, null], amounts: [available, total] },
        ]),
      );
      groups.set(`${account} ${wallet}`, { account, wallet, dataset, fields, known, holdings });
    }
    for (const { account, productType, known, rows } of yield* positionsAt(period)) {
      const wallet = productType ?? "futures";
      const holdings = new Map(
        rows.map((row): [string, Holding] => {
          const item = ["margin_coin", "symbol", "hold_side", "margin_mode"].map((name) => textOf(row, name));
          return [item.join(" "), { item, amounts: [decimalIn(row, "total")] }];
        }),
      );
      const group: Group = { account, wallet, dataset: "positions", fields: ["size"], known, holdings };
      groups.set(`${account} ${wallet} positions`, group);
    }
    return groups;
  };
}
