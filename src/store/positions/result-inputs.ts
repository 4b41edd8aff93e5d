/** Reads what the results of closed positions follow from: the records, the episodes, and the entries of the ledger. */
import type { Statement } from "better-sqlite3";
import { categoryOf } from "../../bitget/product-types.ts";
import { isZero } from "../../core/decimal.ts";
import type { DecimalString, ProductType } from "../../core/domain.ts";
import { bills } from "../../datasets/ledger/bills.ts";
import { type Finding, Findings } from "../../reconciliation/chain.ts";
import { bookedWithinMs, type ClosedPosition, type PositionEntry } from "../../reconciliation/closed-position.ts";
import { conventions } from "../../reconciliation/entry.ts";
import type { EpisodeSpan } from "../../reconciliation/position-episode.ts";
import { collectedOf } from "../read/ledger/collected.ts";
import { digitsSql } from "../schema/encoding.ts";
import { recordLayoutOf, recordQuery } from "../schema/record-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** The list of closed positions of one product type of one account, with the scope that shows them while they are open (null: none). */
export interface ClosedScope {
  id: number;
  account: string;
  accountId: number;
  productType: ProductType;
  positionsScopeId: number | null;
  /** When its last good snapshot was taken (epoch ms), null if there is none. */
  positionsTakenAt: number | null;
  /** When the account was changed to a unified one, or recorded as one (epoch ms); null if it is not. */
  unifiedSince: number | null;
}

export interface StoredPosition extends ClosedPosition {
  positionId: string;
  version: number;
  marginMode: string;
}

/** A list of entries that concerns a product type, and when it does. Epoch ms. */
interface BillScope {
  id: number;
  category: string;
  from: number;
  to: number;
}

/** What is missing of the bills of a position (null: nothing), and whether it stays so. */
export interface Coverage {
  missing: "open" | "gap" | null;
  isLasting: boolean;
}

const amounts = ["realized_pl", "net_profit", "funding", "open_fee", "close_fee", "cash_dividend"];
const camelCase = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

interface StoredEntry extends PositionEntry {
  amount: DecimalString | null;
}

/**
 * Returns the change of an entry after one that is missing, by the convention that the balances show for its type; null if they show
 * none.
 */
function expectedChange(findings: Findings, entry: StoredEntry & { category: string }): DecimalString | null {
  const { amount, fee, kind } = entry;
  if (amount === null || (kind !== "margin" && (fee === null || isZero(fee)))) return amount;
  const known = findings.of(entry);
  return known && conventions[known]({ amount, fee, otherFee: null, movesMargin: kind === "margin" });
}

/** Reads the inputs of one database. */
export class ResultInputs {
  readonly #sqlite: Sqlite;
  readonly #scopes: Statement<[number], ClosedScope>;
  readonly #positions: Statement<[{ scopeId: number; symbols: string | null; upTo: number }], StoredPosition>;
  readonly #episodes: Statement<[Record<string, unknown>], EpisodeSpan>;
  readonly #billScopes: Statement<
    [{ accountId: number; classic: string; unified: string }],
    Omit<BillScope, "from" | "to">
  >;
  readonly #entries: Statement<[Record<string, unknown>], StoredEntry>;
  readonly #findings: Statement<[number], Finding>;
  readonly #newEntries: Statement<[number, number], { symbol: string | null; at: number }>;
  readonly #lastBefore: Statement<[number, number], number | null>;

  constructor(sqlite: Sqlite) {
    this.#sqlite = sqlite;
    this.#scopes = sqlite.prepare(
      `select c.id, a.name as account, a.id as accountId, c.product_type as productType, p.id as positionsScopeId,
         n.taken_at as positionsTakenAt,
         (select min(m.since) from account_mode m where m.account_id = a.id and m.api = 'v3') as unifiedSince
       from account a join series e on e.account_id = a.id and e.dataset = 'closed-positions' join scope c on c.series_id = e.id
         left join series o on o.account_id = a.id and o.dataset = 'positions'
         left join scope p on p.series_id = o.id and p.product_type = c.product_type left join snapshot n on n.id = p.latest
       where a.id = ? order by c.id`,
    );
    this.#positions = sqlite.prepare(
      `select position_id as positionId, version, symbol, margin_coin as marginCoin, hold_side as holdSide,
         margin_mode as marginMode, opened_at as openedAt, closed_at as closedAt,
         ${amounts.map((name) => `${digitsSql(name)} as ${camelCase(name)}`).join(", ")}
       from closed_positions_record r where scope_id = @scopeId and snapshot_id <= @upTo
         and (@symbols is null or symbol in (select value from json_each(@symbols)))
         and not exists (select 1 from closed_positions_record l where l.scope_id = r.scope_id and l.position_id = r.position_id
           and l.version > r.version and l.snapshot_id <= @upTo)
       order by closed_at, position_id`,
    );
    this.#episodes = sqlite.prepare(
      `select l.item_id as itemId, l.since, l.opened_at as openedAt, l.first_seen_at as firstSeenAt,
         l.last_seen_at as lastSeenAt, l.closed_before as closedBefore
       from positions_item i join episode l on l.item_id = i.id
       where i.scope_id = @scopeId and i.symbol = @symbol and i.margin_coin = @marginCoin and i.hold_side = @holdSide
         and i.margin_mode = @marginMode order by l.since`,
    );
    this.#billScopes = sqlite.prepare(
      `select p.id, p.product_type as category from series e join scope p on p.series_id = e.id
       where e.account_id = @accountId and e.dataset = 'bills' and p.product_type in (@classic, @unified)`,
    );
    const newest = recordQuery({ ...recordLayoutOf(bills), dataset: { ...bills, changes: true } });
    this.#entries = sqlite.prepare(
      `select at_ms as at, coin, symbol, kind, type, amount, fee, change from (${newest})
       where account = @account and category = @category and snapshot_id > @after and snapshot_id <= @upTo
         and at_ms >= @from and (symbol is null or @symbols is null or symbol in (select value from json_each(@symbols)))`,
    );
    this.#findings = sqlite.prepare(
      "select category, type, convention, entries from ledger_finding where account_id = ?",
    );
    this.#newEntries = sqlite.prepare("select symbol, at from bills_record where scope_id = ? and snapshot_id > ?");
    this.#lastBefore = sqlite
      .prepare<[number, number], number | null>("select max(id) from snapshot where scope_id = ? and taken_at <= ?")
      .pluck();
  }

  scopes(accountId: number): ClosedScope[] {
    return this.#scopes.all(accountId);
  }

  /** Returns the newest version of each closed position of these symbols (null: all), oldest first, of snapshots up to `upTo`. */
  positions(scopeId: number, symbols: readonly string[] | null, upTo: number): StoredPosition[] {
    return this.#positions.all({ scopeId, symbols: symbols && JSON.stringify(symbols), upTo });
  }

  /** Returns all episodes with the key of a position. */
  episodes({ positionsScopeId }: ClosedScope, position: StoredPosition): EpisodeSpan[] {
    const { symbol, marginCoin, holdSide, marginMode } = position;
    return this.#episodes.all({ scopeId: positionsScopeId, symbol, marginCoin, holdSide, marginMode });
  }

  /** Returns the symbol (null: none) and the time of each entry that was first seen after a snapshot. */
  newEntries(scope: ClosedScope, after: number): { symbol: string | null; at: number }[] {
    return this.#billScopesOf(scope).flatMap(({ id }) => this.#newEntries.all(id, after));
  }

  /** Returns the entries of these symbols (null: all), and those without one, from an instant (epoch ms) on, sorted by time. */
  entries(scope: ClosedScope, symbols: readonly string[] | null, { from, upTo }: { from: number; upTo: number }) {
    const { account } = scope;
    const findings = new Findings(this.#findings.all(scope.accountId));
    const entries = this.#billScopesOf(scope).flatMap(({ id, category }) =>
      this.#entries
        .all({
          account,
          category,
          after: this.#lastBefore.get(id, from) ?? 0,
          upTo,
          from,
          symbols: symbols && JSON.stringify(symbols),
        })
        .map(({ amount, ...entry }) => ({
          ...entry,
          change: entry.change ?? expectedChange(findings, { ...entry, amount, category }),
        })),
    );
    return entries.sort((one, other) => one.at - other.at);
  }

  /** Returns a function that finds whether the bills from the opening of a position to its close are collected. */
  coverage(scope: ClosedScope): (position: StoredPosition) => Coverage {
    const scopes = this.#billScopesOf(scope).map((one) => ({ ...one, ...collectedOf(this.#sqlite, [one.id]) }));
    return ({ openedAt, closedAt }) => {
      const span = { from: openedAt ?? closedAt, to: closedAt + bookedWithinMs };
      const concerned = scopes.filter((one) => one.from <= span.to && one.to >= span.from);
      const holes = concerned.flatMap((one) =>
        one.holes.filter((hole) => hole.from < Math.min(span.to, one.to) && hole.to > Math.max(span.from, one.from)),
      );
      if (concerned.length === 0) return { missing: "gap", isLasting: true };
      if (holes.length > 0) return { missing: "gap", isLasting: holes.some(({ to }) => to < Number.MAX_SAFE_INTEGER) };
      const isRead = concerned.every(({ through, to }) => through >= Math.min(span.to, to));
      return isRead ? { missing: null, isLasting: true } : { missing: "open", isLasting: false };
    };
  }

  #billScopesOf({ accountId, productType, unifiedSince }: ClosedScope): BillScope[] {
    const unified = `unified/${categoryOf(productType)}`;
    const scopes = this.#billScopes.all({ accountId, classic: productType, unified });
    const change = unifiedSince ?? Number.MAX_SAFE_INTEGER;
    const wasClassic = scopes.some(({ category }) => category === productType);
    return scopes.map((one) =>
      one.category === unified
        ? { ...one, from: wasClassic ? change : 0, to: Number.MAX_SAFE_INTEGER }
        : { ...one, from: 0, to: change },
    );
  }
}
