/** Where the read model reads from. */
import type { Sqlite } from "../store/sqlite/database.ts";

export interface Source {
  /** Read only. */
  sqlite: Sqlite;
  /** Of this account alone; null: of all. */
  account: string | null;
  /** A day or month that is not over by then is `going on`. Epoch ms. */
  now: number;
}
