/** Reads how far the exchange's ledger was collected, and where it was not. */
import type { TimeRange } from "../../../core/domain.ts";
import type { Sqlite } from "../../sqlite/database.ts";

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
