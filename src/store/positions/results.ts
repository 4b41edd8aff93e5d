/**
 * Determines the results of closed positions: the episode of each, and what the ledger says about it. A pass judges what is new, what was
 * not final, and what late bills concern; `db verify` computes all of it again.
 */
import type { DecimalString } from "../../core/domain.ts";
import { dayMs } from "../../core/time.ts";
import { bookedWithinMs, judgePosition, sumBills } from "../../reconciliation/closed-position.ts";
import { episodeOf, snapshotSlackMs } from "../../reconciliation/position-episode.ts";
import type { Verdict } from "../../reconciliation/verdict.ts";
import { packDigits } from "../schema/encoding.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { type ClosedScope, ResultInputs, type StoredPosition } from "./result-inputs.ts";

/** A row of the table `position_result`. */
export interface PositionResult {
  scopeId: number;
  positionId: string;
  version: number;
  itemId: number | null;
  since: number | null;
  seen: 0 | 1 | null;
  fees: DecimalString | null;
  billsRealizedPl: DecimalString | null;
  billsFunding: DecimalString | null;
  billsFees: DecimalString | null;
  billsNetProfit: DecimalString | null;
  difference: DecimalString | null;
  verdict: Verdict;
  isFinal: 0 | 1;
}

/** Nothing that the exchange lists is older: what is not known by then stays unknown. Milliseconds. */
const retentionMs = 95 * dayMs;

/** Which results to compute: those of positions of these symbols that were closed at or after a time (epoch ms); null: all. */
type Selection = ReadonlyMap<string, number> | null;

/** Returns the results of one list of closed positions, as of the snapshots up to `upTo`. */
export function resultsOf(
  inputs: ResultInputs,
  scope: ClosedScope,
  selection: Selection,
  upTo: number,
): PositionResult[] {
  const symbols = selection && [...selection.keys()];
  const positions = inputs.positions(scope.id, symbols, upTo);
  const selected = positions.filter(
    ({ symbol, closedAt }) => !selection || closedAt >= (selection.get(symbol) ?? Number.MAX_SAFE_INTEGER),
  );
  if (selected.length === 0) return [];
  const from = Math.min(...selected.map(({ openedAt, closedAt }) => openedAt ?? closedAt));
  const entries = inputs.entries(scope, symbols, { from, upTo });
  const ledger = { entries, times: entries.map(({ at }) => at) };
  const coverageOf = inputs.coverage(scope);
  const newest = positions.at(-1)?.closedAt ?? 0;
  const bySymbol = groupBySymbol(positions);
  return selected.map((position): PositionResult => {
    const others = (bySymbol.get(position.symbol) ?? []).filter(
      (other) =>
        other !== position && other.closedAt >= (position.openedAt ?? 0) && (other.openedAt ?? 0) <= position.closedAt,
    );
    const coverage = coverageOf(position);
    const sums = sumBills(position, others, ledger);
    const { bills, ...result } = judgePosition(position, sums, coverage.missing);
    const { isSettled, ...episode } = episodeCells(inputs, scope, position, others);
    const isOld = position.closedAt < newest - retentionMs;
    return {
      scopeId: scope.id,
      positionId: position.positionId,
      version: position.version,
      ...episode,
      ...result,
      billsRealizedPl: bills.realizedPl,
      billsFunding: bills.funding,
      billsFees: bills.fees,
      billsNetProfit: bills.netProfit,
      isFinal: isOld || (isSettled && coverage.isLasting && !sums.hasUnknown) ? 1 : 0,
    };
  });
}

function groupBySymbol(positions: readonly StoredPosition[]): Map<string, StoredPosition[]> {
  const groups = new Map<string, StoredPosition[]>();
  for (const position of positions) {
    const group = groups.get(position.symbol) ?? [];
    groups.set(position.symbol, group);
    group.push(position);
  }
  return groups;
}

/** Returns the cells that name the episode of a position, and whether later snapshots leave them as they are. */
function episodeCells(
  inputs: ResultInputs,
  scope: ClosedScope,
  position: StoredPosition,
  others: readonly StoredPosition[],
): Pick<PositionResult, "itemId" | "since" | "seen"> & { isSettled: boolean } {
  const { marginCoin, holdSide, marginMode, closedAt } = position;
  const sameKey = others.filter(
    (other) => other.marginCoin === marginCoin && other.holdSide === holdSide && other.marginMode === marginMode,
  );
  const found = episodeOf(position, sameKey, inputs.episodes(scope, position));
  if (typeof found === "object") return { itemId: found.itemId, since: found.since, seen: 1, isSettled: true };
  const { positionsScopeId, positionsTakenAt } = scope;
  // A snapshot from before the close may be stored later.
  const isPast = positionsScopeId === null || closedAt + snapshotSlackMs < (positionsTakenAt ?? 0);
  return {
    itemId: null,
    since: null,
    seen: found === "none" ? 0 : null,
    isSettled: found === "ambiguous" || (found === "none" && isPast),
  };
}

type Row = Omit<PositionResult, DigitColumn> & Record<DigitColumn, Buffer | null> & { through: number };

/** The amounts of a result. */
export const digitColumns = [
  "fees",
  "billsRealizedPl",
  "billsFunding",
  "billsFees",
  "billsNetProfit",
  "difference",
] as const;
type DigitColumn = (typeof digitColumns)[number];

/** Keeps the table of results up to date. The caller opens the transactions. */
export class PositionResults {
  readonly #inputs: ResultInputs;
  readonly #statements: ReturnType<typeof prepare>;
  /** By account: the last snapshot that the results follow from. */
  readonly #through = new Map<number, number>();
  /** By scope and symbol: when the last position was closed. Epoch ms. */
  readonly #lastClosedAt = new Map<number, Map<string, number>>();

  constructor(sqlite: Sqlite) {
    this.#inputs = new ResultInputs(sqlite);
    this.#statements = prepare(sqlite);
  }

  /**
   * Computes the results of an account that may have changed since the last pass; with `isFull` all of them. Returns the last snapshot that
   * was taken into account; null where the account has no list of closed positions.
   */
  update(accountId: number, isFull = false): number | null {
    const scopes = this.#inputs.scopes(accountId);
    if (scopes.length === 0) return null;
    const upTo = this.#statements.lastSnapshot.get(accountId) ?? 0;
    if (isFull) this.#statements.remove.run(accountId);
    const after = isFull ? 0 : (this.#through.get(accountId) ?? this.#statements.through.get(accountId) ?? 0);
    for (const scope of scopes) {
      const selection = this.#changed(scope, after);
      if (selection.size === 0) continue;
      for (const result of resultsOf(this.#inputs, scope, selection, upTo))
        this.#statements.put.run(rowOf(result, upTo));
    }
    this.#through.set(accountId, upTo);
    return upTo;
  }

  /** Computes the results of all accounts. */
  fill(): void {
    for (const accountId of this.#statements.accounts.all()) this.update(accountId, true);
  }

  /** Returns the symbols of which results may have changed, each with the time (epoch ms) from which on positions were closed. */
  #changed(scope: ClosedScope, after: number): Map<string, number> {
    const selection = new Map<string, number>();
    const select = (symbol: string, from: number) =>
      selection.set(symbol, Math.min(from, selection.get(symbol) ?? Number.MAX_SAFE_INTEGER));
    const lastClosedAt = this.#lastClosedAt.get(scope.id) ?? new Map<string, number>();
    const isKnown = this.#lastClosedAt.has(scope.id);
    this.#lastClosedAt.set(scope.id, lastClosedAt);
    for (const { symbol, openedAt, closedAt, isNew } of this.#statements.listed.all({
      scopeId: scope.id,
      after,
      listedAfter: isKnown ? after : 0,
    })) {
      lastClosedAt.set(symbol, Math.max(closedAt, lastClosedAt.get(symbol) ?? 0));
      if (isNew === 1) select(symbol, openedAt ?? 0);
    }
    for (const { symbol, openedAt } of this.#statements.notFinal.all(scope.id)) select(symbol, openedAt ?? 0);
    for (const { symbol, at } of this.#inputs.newEntries(scope, after)) {
      const from = at - bookedWithinMs;
      for (const [known, last] of lastClosedAt)
        if (from <= last && (symbol === null || symbol === known)) select(known, from);
    }
    return selection;
  }
}

const rowOf = (result: PositionResult, through: number): Row => ({
  ...result,
  ...(Object.fromEntries(
    digitColumns.map((name) => [name, result[name] === null ? null : packDigits(result[name])]),
  ) as Record<DigitColumn, Buffer | null>),
  through,
});

interface ListedRow {
  symbol: string;
  openedAt: number | null;
  closedAt: number;
  isNew: 0 | 1;
}

function prepare(sqlite: Sqlite) {
  const ofAccount = `scope_id in (select p.id from series e join scope p on p.series_id = e.id
    where e.account_id = ? and e.dataset = 'closed-positions')`;
  return {
    accounts: sqlite.prepare<[], number>("select id from account order by id").pluck(),
    // Of several accounts that are recorded into PostgreSQL a later snapshot may have a lower id.
    lastSnapshot: sqlite
      .prepare<[number], number | null>(
        "select max(p.latest) from series e join scope p on p.series_id = e.id where e.account_id = ?",
      )
      .pluck(),
    through: sqlite
      .prepare<[number], number | null>(`select max(through) from position_result where ${ofAccount}`)
      .pluck(),
    listed: sqlite.prepare<[{ scopeId: number; after: number; listedAfter: number }], ListedRow>(
      `select symbol, opened_at as openedAt, closed_at as closedAt, snapshot_id > @after as isNew
       from closed_positions_record where scope_id = @scopeId and snapshot_id > @listedAfter`,
    ),
    notFinal: sqlite.prepare<[number], Pick<ListedRow, "symbol" | "openedAt">>(
      `select c.symbol, c.opened_at as openedAt from position_result r
         join closed_positions_record c on c.scope_id = r.scope_id and c.position_id = r.position_id and c.version = r.version
       where r.scope_id = ? and r.is_final = 0`,
    ),
    remove: sqlite.prepare(`delete from position_result where ${ofAccount}`),
    put: sqlite.prepare<[Row], unknown>(
      `insert or replace into position_result (scope_id, position_id, version, item_id, since, seen, fees, bills_realized_pl,
         bills_funding, bills_fees, bills_net_profit, difference, verdict, is_final, through)
       values (@scopeId, @positionId, @version, @itemId, @since, @seen, @fees, @billsRealizedPl, @billsFunding, @billsFees,
         @billsNetProfit, @difference, @verdict, @isFinal, @through)`,
    ),
  };
}
