/** Recomputes the results of closed positions from records, episodes and bills, and compares them with the stored ones. */
import { pause, type Steps } from "../../../core/async/cooperate.ts";
import { snakeCase } from "../../../core/columns.ts";
import { ResultInputs } from "../../positions/result-inputs.ts";
import { digitColumns, type PositionResult, resultsOf } from "../../positions/results.ts";
import { allOfAccount } from "../../read/ledger/rules.ts";
import { digitsSql } from "../../schema/encoding.ts";
import type { Sqlite } from "../../sqlite/database.ts";
import type { Report } from "../problem.ts";

const integers = ["version", "itemId", "since", "seen", "isFinal"] as const;
const compared = ["version", "itemId", "since", "seen", "verdict", ...digitColumns] as const;

/**
 * Reports results that do not follow from the history; `reconcile --full` replaces them. Those that later snapshots or bills may change
 * are not compared, nor those of accounts that were reconciled by other rules. Call it only if records, episodes and the reconciliation are unaltered.
 */
export function* checkPositions(sqlite: Sqlite, report: Report, outdated: readonly string[]): Steps<void> {
  const inputs = new ResultInputs(sqlite);
  const stored = sqlite.prepare<[number], PositionResult>(
    `select position_id as positionId, verdict, ${integers.map((name) => `${snakeCase(name)} as ${name}`).join(", ")},
       ${digitColumns.map((name) => `${digitsSql(snakeCase(name))} as ${name}`).join(", ")}
     from position_result where scope_id = ?`,
  );
  const through = sqlite
    .prepare<{ accountId: number }, number | null>(
      `select coalesce((select bills_through from ledger_chain where account_id = @accountId and wallet = '${allOfAccount}'), (
         select max(r.through) from position_result r join scope p on p.id = r.scope_id join series e on e.id = p.series_id
         where e.account_id = @accountId))`,
    )
    .pluck();
  for (const accountId of sqlite.prepare<[], number>("select id from account").pluck().all()) {
    const upTo = through.get({ accountId }) ?? 0;
    for (const scope of inputs.scopes(accountId)) {
      if (outdated.includes(scope.account)) continue;
      const rows = new Map(stored.all(scope.id).map((row) => [row.positionId, row]));
      const name = (id: string) => `${scope.account} closed-positions: ${scope.productType} ${id}`;
      for (const expected of resultsOf(inputs, scope, null, upTo)) {
        const found = rows.get(expected.positionId);
        rows.delete(expected.positionId);
        if (!found) report(`${name(expected.positionId)} (position_result): has no row`);
        const column = found?.isFinal === 1 ? compared.find((one) => found[one] !== expected[one]) : undefined;
        if (found && column)
          report(
            `${name(expected.positionId)} (position_result.${snakeCase(column)}): is ${found[column]}, expected ${expected[column]}`,
          );
      }
      for (const id of rows.keys()) report(`${name(id)} (position_result): has a row, expected none`);
      yield pause;
    }
  }
}
