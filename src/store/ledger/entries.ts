/** Reads the entries of the exchange's ledger, and where it was not collected. */
import { absolute, compare, subtract } from "../../core/decimal.ts";
import type { DecimalString, TimeRange } from "../../core/domain.ts";
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

/** How far the ledger of a wallet was collected. */
export interface Collected {
  /** Where it was not, and why. Epoch ms. */
  holes: (TimeRange & { cause: string })[];
  /** Up to when it was. Epoch ms. */
  through: number;
}

/** Why there is no ledger for a time. */
export const holeCauses = {
  /** The exchange deletes entries after ninety days. */
  deleted: "older than the exchange remembers",
  off: "bills were not collected",
};

interface ScopeState {
  through: number | null;
  isOn: 0 | 1;
  /** The exchange's code of the last run, if it failed. */
  code: string | null;
}

/** Returns how far the bills of these scopes were collected. A hole in one of them is one of the wallet. */
export function collectedOf(sqlite: Sqlite, scopeIds: readonly number[]): Collected {
  const state = sqlite.prepare<[number], ScopeState>(
    `select (select g.through from reading g where g.snapshot_id = p.latest) as through,
       p.until is null and exists (select 1 from schedule c where c.series_id = p.series_id and c.until is null) as isOn,
       (select n.error_code from snapshot n where n.scope_id = p.id order by n.id desc limit 1) as code
     from scope p where p.id = ?`,
  );
  const lost = sqlite.prepare<[number], TimeRange>(
    `select g.hole_from as "from", g.hole_to as "to" from snapshot n join reading g on g.snapshot_id = n.id
     where n.scope_id = ? and g.hole_from is not null`,
  );
  const holes: Collected["holes"] = [];
  let through = Number.MAX_SAFE_INTEGER;
  if (scopeIds.length === 0) return { holes: [{ from: 0, to: through, cause: holeCauses.off }], through };
  for (const scopeId of scopeIds) {
    const { through: read = null, isOn = 0, code = null } = state.get(scopeId) ?? {};
    holes.push(...lost.all(scopeId).map((range) => ({ ...range, cause: holeCauses.deleted })));
    if (code === null && isOn === 1) through = Math.min(through, read ?? 0);
    else holes.push({ from: read ?? 0, to: Number.MAX_SAFE_INTEGER, cause: code ?? holeCauses.off });
  }
  return { holes, through };
}
