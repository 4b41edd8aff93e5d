/** A bill of a simulated account. */
export interface Bill {
  account: string;
  /** The product type, as API v2 spells it. */
  category: string;
  /** When the bill becomes visible, some time after its own time. Epoch ms. Default: its own time. */
  visibleAt?: number;
  /** The row as sent, its time in epoch ms as text. */
  row: { billId: string; cTime: string } & Record<string, string>;
}
