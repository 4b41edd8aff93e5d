/** Where the read model reads from. */
import type { HistoryReader } from "../store/history.ts";

export interface Source {
  history: HistoryReader;
  /** Of this account alone; null: of all. */
  account: string | null;
  /** A day or month that is not over by then is `going on`. Epoch ms. */
  now: number;
}
