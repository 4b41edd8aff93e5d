/** Reads the entries of the exchange's ledger. */
import { absolute, compare, subtract } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { minuteMs } from "../../core/time.ts";
import { kindSql } from "../../datasets/ledger/kinds.ts";
import type { Entry } from "../../reconciliation/entry.ts";
import { digitsSql } from "../schema/encoding.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** An entry with its scope and the snapshot that it came with. */
export interface StoredEntry extends Entry {
  scopeId: number;
  snapshotId: number;
  coin: string;
}

/** Which entries to read: of one coin (in capitals; null: of all), first seen after a snapshot, with a time after `since` (epoch ms). */
export interface EntryFilter {
  coin: string | null;
  after: number;
  since: number;
}

interface Row extends Omit<StoredEntry, "movesMargin" | "otherFee"> {
  kind: string;
}

/** Returns a function that reads the newest version of each entry of a scope of bills. Entries without an amount are left out. */
export function entryReader(sqlite: Sqlite): (scopeId: number, filter: EntryFilter) => StoredEntry[] {
  const entries = sqlite.prepare<unknown[], Row>(
    `select r.scope_id as scopeId, r.snapshot_id as snapshotId, p.product_type as category, r.bill_id as id, r.at, r.type, r.coin,
       ${kindSql("r.type", "r.group_type")} as kind,
       ${digitsSql("r.amount")} as amount, ${digitsSql("r.fee")} as fee, ${digitsSql("r.balance")} as balance
     from bills_record r join scope p on p.id = r.scope_id
     where r.scope_id = @scopeId and r.snapshot_id > @after and r.at > @since and (@coin is null or upper(r.coin) = @coin)
       and r.amount is not null and not exists (select 1 from bills_record l
         where l.scope_id = r.scope_id and l.bill_id = r.bill_id and l.version > r.version)`,
  );
  const feeOf = withdrawalFees(sqlite);
  return (scopeId, filter) =>
    entries.all({ scopeId, ...filter }).map(({ kind, ...row }) => ({
      ...row,
      movesMargin: kind === "margin",
      otherFee: row.category === "funding" && kind === "withdrawal" ? feeOf(row) : null,
    }));
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
     order by w.version desc`,
  );
  return ({ scopeId, coin, at, amount }: Omit<Row, "kind">): DecimalString | null => {
    const found = near.all({ scopeId, coin, from: at - withdrawalSpreadMs, to: at + withdrawalSpreadMs });
    // The amount of the record includes the fee.
    const own = found.find((one) => compare(subtract(one.amount, absolute(one.fee)), absolute(amount)) === 0);
    return own ? `-${absolute(own.fee)}` : null;
  };
}
