/** A small incremental dataset for tests: the ledger of the futures accounts, five rows a page. */
import Database from "better-sqlite3";
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from "drizzle-kit/api";
import { z } from "zod";
import { address } from "../../src/bitget/endpoints.ts";
import { categoryOf } from "../../src/bitget/product-types.ts";
import * as column from "../../src/core/columns.ts";
import { perProductType } from "../../src/datasets/dataset.ts";
import { amount, coin, digits, item, list, millis, name, text } from "../../src/datasets/fields.ts";
import { incrementalDataset, listOf } from "../../src/datasets/incremental.ts";
import type { Bill } from "../../src/simulator/simulator.ts";
import { reading, recordTableOf } from "../../src/store/schema/record-layout.ts";
import * as tables from "../../src/store/schema/tables.ts";
import { viewsOf } from "../../src/store/schema/views.ts";

export const billsPath = "/api/v2/mix/account/bill";

const dayMs = 86_400_000;

const columns = {
  billId: column.text().notNull(),
  at: column.millis(),
  type: column.text(),
  coin: column.text(),
  amount: column.decimal(),
  fee: column.decimal(),
  balance: column.decimal(),
};

const row = item({ billId: name, cTime: millis, businessType: text, coin, amount, fee: digits, balance: digits });

const data = z.object({ bills: list(row), endId: text.transform((id) => id ?? null) });

const declared = (cursor: { cursor?(page: z.output<typeof data>): string | null }) =>
  incrementalDataset({
    name: "bills",
    summary: "Entries of the futures ledger",
    id: "billId",
    at: "at",
    columns,
    endpoints: {
      v2: listOf(columns, {
        address: address("v2/mix-bills", {
          path: billsPath,
          perSecond: 10,
          params: ["productType*", "startTime", "endTime", "limit", "idLessThan"],
          summary: "futures ledger",
        }),
        ...perProductType("productType", categoryOf),
        spanMs: 30 * dayMs,
        retentionMs: 90 * dayMs,
        pageSize: 5,
        data,
        rows: (page) =>
          page.bills.map(({ fields: { billId, cTime, businessType, ...amounts }, extra }) => ({
            row: { billId, at: cTime, type: businessType, ...amounts },
            extra,
          })),
        ...cursor,
      }),
    },
  });

/** Its cursor is the id of the last row. */
export const bills = declared({});

/** Its cursor is the one of the answer. */
export const billsWithCursor = declared({ cursor: ({ endId }) => endId });

let statements: string[] | null = null;

/** The statements that a migration would have for the dataset, by the functions that migrations are generated with. */
async function tableStatements(): Promise<string[]> {
  const before = await generateSQLiteDrizzleJson({ ...tables });
  const after = await generateSQLiteDrizzleJson({ ...tables, reading, bill: recordTableOf(bills) }, before.id);
  return (await generateSQLiteMigration(before, after)).map(strict);
}

/** Makes tables and view of the dataset in the database at `path`. */
export async function createBillTables(path: string): Promise<void> {
  statements ??= await tableStatements();
  const database = new Database(path);
  for (const statement of [...statements, viewsOf([bills]).get("bills") ?? ""]) database.exec(statement);
  database.close();
}

/** As scripts/strict-tables.js does it. */
const strict = (statement: string): string =>
  statement.replace(/\);\s*$/, /^\s*PRIMARY KEY\(/m.test(statement) ? ") STRICT, WITHOUT ROWID;" : ") STRICT;");

/** An entry of the ledger of the account `main`, with an id that grows with its time. */
export function billAt(instant: number, at = 0, more: Partial<Bill> = {}): Bill {
  const billId = String((BigInt(instant) << 22n) + BigInt(at));
  const row = {
    billId,
    cTime: String(instant),
    businessType: "contract_settle_fee",
    coin: "USDT",
    amount: `-0.${String(instant % 1_000_003).padStart(10, "0")}`,
    fee: "0",
    balance: `1000.${String(at).padStart(8, "0")}`,
  };
  return { account: "main", category: "USDT-FUTURES", row, ...more };
}
