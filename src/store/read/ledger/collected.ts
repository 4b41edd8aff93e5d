/** Reads how far the exchange's ledger was collected, and where it was not. */
import type { TimeRange } from "../../../core/domain.ts";
import type { Hole } from "../../../reconciliation/verdict.ts";
import type { Sqlite } from "../../sqlite/database.ts";

/** How far the ledger of a wallet was collected. */
export interface Collected {
  /** Where it was not, and why. Epoch ms. */
  holes: Hole[];
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

/** The state to describe, where that is not the current one. */
export interface CollectedOptions {
  /** The last snapshot that counts. */
  asOf?: number;
  /** Whether bills are collected. Default: as the schedules say now. */
  isOn?: boolean | undefined;
}

/** Returns how far the bills of these scopes were collected. A hole in one of them is one of the wallet. */
export function collectedOf(
  sqlite: Sqlite,
  scopeIds: readonly number[],
  { asOf = Number.MAX_SAFE_INTEGER, isOn: isOnThen }: CollectedOptions = {},
): Collected {
  const state = sqlite.prepare<unknown[], ScopeState>(
    `select (select g.through from reading g where g.snapshot_id = case when p.latest <= @asOf then p.latest else (
         select max(n.id) from snapshot n where n.scope_id = p.id and n.error_code is null and n.id <= @asOf) end) as through,
       p.until is null and exists (select 1 from schedule c where c.series_id = p.series_id and c.until is null) as isOn,
       (select n.error_code from snapshot n where n.scope_id = p.id and n.id <= @asOf order by n.id desc limit 1) as code
     from scope p where p.id = @scopeId`,
  );
  const lost = sqlite.prepare<unknown[], TimeRange>(
    `select g.hole_from as "from", g.hole_to as "to" from reading g cross join snapshot n on n.id = g.snapshot_id
     where g.hole_from is not null and g.snapshot_id <= @asOf and n.scope_id = @scopeId`,
  );
  const holes: Collected["holes"] = [];
  let through = Number.MAX_SAFE_INTEGER;
  if (scopeIds.length === 0) return { holes: [{ from: 0, to: through, cause: holeCauses.off }], through };
  for (const scopeId of scopeIds) {
    const { through: read = null, isOn = 0, code = null } = state.get({ scopeId, asOf }) ?? {};
    holes.push(...lost.all({ scopeId, asOf }).map((range) => ({ ...range, cause: holeCauses.deleted })));
    if (code === null && (isOnThen ?? isOn === 1)) through = Math.min(through, read ?? 0);
    else holes.push({ from: read ?? 0, to: Number.MAX_SAFE_INTEGER, cause: code ?? holeCauses.off });
  }
  return { holes, through };
}
