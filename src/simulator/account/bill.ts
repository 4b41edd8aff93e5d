/** An entry of the ledger. */
export interface Bill {
  account: string;
  /** The product line, in the words of v2. */
  category: string;
  /** From when on it is told, which is some time after its own. Epoch ms. Default: its own time. */
  visibleAt?: number;
  /** The row as it is sent, its time in epoch ms as text. */
  row: { billId: string; cTime: string } & Record<string, string>;
}
