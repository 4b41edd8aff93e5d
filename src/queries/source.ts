/** Defines the input that all queries share. */
import type { HistoryReader } from "../store/history.ts";

export interface Source {
  history: HistoryReader;
  /** The account to read; null: all accounts. */
  account: string | null;
  /** The current time: a day or month that has not ended by then is `going on`. Epoch ms. */
  now: number;
}
