/** The dataset `bills` with the ledger of the futures accounts alone, five rows a page, and bills for it. */

import type { AnyListSource, IncrementalDataset } from "../../src/datasets/incremental.ts";
import { bills as real } from "../../src/datasets/ledger/bills.ts";
import type { Bill } from "../../src/simulator/simulator.ts";

export const billsPath = "/api/v2/mix/account/bill";

const pageSize = 5;

function futuresOnly(change: (list: AnyListSource) => AnyListSource): IncrementalDataset {
  const list = real.sources.v2?.find(({ endpoint }) => endpoint.path === billsPath);
  if (!list) throw new Error(`no list at ${billsPath}`);
  const params: AnyListSource["params"] = (scope, window) => ({
    ...list.params(scope, window),
    limit: String(pageSize),
  });
  return { ...real, sources: { v2: [change({ ...list, pageSize, params })] } };
}

/** Pages by the id of the last row. */
export const bills = futuresOnly((list) => list);

/** Pages by the cursor in the response (`endId`). */
export const billsWithCursor = futuresOnly((list) => ({
  ...list,
  read: (data, ...more) => ({
    ...list.read(data, ...more),
    next: (data as { endId?: string }).endId || null,
  }),
}));

/** Returns a bill of the account `main` whose id grows with its time (epoch ms). */
export function billAt(instant: number, at = 0, more: Partial<Bill> = {}): Bill {
  const billId = String((BigInt(instant) << 22n) + BigInt(at));
  const row = {
    billId,
    symbol: "BTCUSDT",
    cTime: String(instant),
    businessType: "contract_settle_fee",
    coin: "USDT",
    amount: `-0.${String(instant % 1_000_003).padStart(10, "0")}`,
    fee: "0",
    balance: `1000.${String(at).padStart(8, "0")}`,
  };
  return { account: "main", category: "USDT-FUTURES", row, ...more };
}
