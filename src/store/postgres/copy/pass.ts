/** What a pass in either direction has in common: the tables of a history, and which of them are copied as a whole. */
import type { AnyDataset } from "../../../datasets/incremental.ts";
import type { CopiedTable } from "../tables.ts";

/** The tables by name, and the datasets whose rows they have. */
export interface Tables {
  tables: ReadonlyMap<string, CopiedTable>;
  datasets: readonly AnyDataset[];
}

/** Tables in which any row may change, and that stay small. */
export const wholeTables = [
  ...["account", "account_mode", "series", "schedule", "scope", "worker"],
  ...["alert", "alert_message", "alert_figure"],
];

/** Returns the table of that name. Throws an Error where there is none. */
export function tableOf({ tables }: Pick<Tables, "tables">, name: string): CopiedTable {
  const table = tables.get(name);
  if (!table) throw new Error(`there is no table ${name}`);
  return table;
}
