/** Reads the entries of the exchange's ledger. */
import type { Statement } from "better-sqlite3";
import { absolute, compare, subtract } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { minuteMs } from "../../core/time.ts";
import { kindSql } from "../../datasets/ledger/kinds.ts";
import type { Entry } from "../../reconciliation/entry.ts";
import { digitsSql, idSql } from "../schema/encoding.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** An entry with its scope and the snapshot that it came with. */
export interface StoredEntry extends Entry {
  scopeId: number;
  snapshotId: number;
  coin: string;
}

/** Which entries of a scope are recent. */
export interface RecentFilter {
  scopeId: number;
  /** Entries up to this snapshot have a time before `settledAt`, and are not new: the index leaves them out. */
  after: number;
  /** Entries that were first seen after this snapshot are new. */
  through: number;
  /** Entries with a later time are not settled. Epoch ms. */
  settledAt: number;
}

interface Row extends Omit<StoredEntry, "movesMargin" | "otherFee"> {
  group: string | null;
}

/** Reads the newest version of each entry of a scope of bills. Entries without an amount are left out. */
export class EntryReader {
  readonly #ofCoin: Statement<[{ scopeId: number; coin: string }], Row>;
  readonly #recent: Statement<[RecentFilter], Row>;
  readonly #kindOf: ReturnType<typeof kindReader>;
  readonly #feeOf: ReturnType<typeof withdrawalFees>;

  constructor(sqlite: Sqlite) {
    this.#ofCoin = sqlite.prepare(entriesWhere("upper(r.coin) = @coin"));
    this.#recent = sqlite.prepare(
      entriesWhere("r.snapshot_id > @after and (r.snapshot_id > @through or r.at > @settledAt)"),
    );
    this.#kindOf = kindReader(sqlite);
    this.#feeOf = withdrawalFees(sqlite);
  }

  /** Returns the entries of a coin, in capitals, with the fees of withdrawals up to the snapshot `feesThrough`. */
  ofCoin(scopeId: number, coin: string, feesThrough?: number): StoredEntry[] {
    return this.#ofCoin.all({ scopeId, coin }).map((row) => this.#entryOf(row, feesThrough));
  }

  /** Returns the entries that are new, or not settled yet. */
  recent(filter: RecentFilter): StoredEntry[] {
    return this.#recent.all(filter).map((row) => this.#entryOf(row));
  }

  #entryOf({ group, ...row }: Row, feesThrough = Number.MAX_SAFE_INTEGER): StoredEntry {
    const kind = this.#kindOf(row.type, group);
    return {
      ...row,
      movesMargin: kind === "margin",
      otherFee: row.category === "funding" && kind === "withdrawal" ? this.#feeOf(row, feesThrough) : null,
    };
  }
}

const entriesWhere = (condition: string): string => `
  select r.scope_id as scopeId, r.snapshot_id as snapshotId, p.product_type as category, ${idSql("r.bill_id")} as id, r.at, r.type, r.coin,
    r.group_type as "group", ${digitsSql("r.amount")} as amount, ${digitsSql("r.fee")} as fee, ${digitsSql("r.balance")} as balance
  from bills_record r join scope p on p.id = r.scope_id
  where r.scope_id = @scopeId and ${condition} and r.amount is not null and not exists (select 1 from bills_record l
    where l.scope_id = r.scope_id and l.bill_id = r.bill_id and l.version > r.version)`;

/** Returns a function that classifies entries. There are few different types, so that each is classified once. */
function kindReader(sqlite: Sqlite): (type: string, group: string | null) => string {
  const classify = sqlite.prepare<unknown[], string>(`select ${kindSql("@type", "@group")}`).pluck();
  const known = new Map<string, string>();
  return (type, group) => {
    const key = JSON.stringify([type, group]);
    const kind = known.get(key) ?? classify.get({ type, group }) ?? "other";
    known.set(key, kind);
    return kind;
  };
}

/**
 * The funding wallet's entry of a withdrawal has the amount that was sent, and the time at which the withdrawal was completed; its
 * record has the fee. Milliseconds that the two times may differ.
 */
const withdrawalSpreadMs = minuteMs;

/** Returns a function that finds the fee of a withdrawal; null if there is no record of it. */
function withdrawalFees(sqlite: Sqlite) {
  const near = sqlite.prepare<unknown[], { amount: DecimalString; fee: DecimalString }>(
    `select ${digitsSql("w.amount")} as amount, ${digitsSql("w.fee")} as fee
     from scope b join series o on o.id = b.series_id
       join series e on e.account_id = o.account_id and e.dataset = 'withdrawals' join scope p on p.series_id = e.id
       join withdrawals_record w on w.scope_id = p.id
     where b.id = @scopeId and w.coin = @coin and w.updated_at between @from and @to and w.amount is not null and w.fee is not null
       and w.snapshot_id <= @feesThrough
     order by w.version desc`,
  );
  return ({ scopeId, coin, at, amount }: Omit<Row, "group">, feesThrough: number): DecimalString | null => {
    const [from, to] = [at - withdrawalSpreadMs, at + withdrawalSpreadMs];
    const found = near.all({ scopeId, coin, from, to, feesThrough });
    // The amount of the record includes the fee.
    const own = found.find((one) => compare(subtract(one.amount, absolute(one.fee)), absolute(amount)) === 0);
    return own ? `-${absolute(own.fee)}` : null;
  };
}
