/** Defines what deposits and withdrawals have in common: columns, lists and mappers. */
import { apiEndpoint, type EndpointName } from "../../bitget/endpoints.ts";
import type { Column } from "../../core/columns.ts";
import * as column from "../../core/columns.ts";
import type { ApiVersion } from "../../core/domain.ts";
import { exactCoin, item, list, millis, name, optionalDecimal, required, text } from "../fields.ts";
import { listSourceFor } from "../incremental.ts";
import { byCursor, ofNinetyDays, ofThirtyDays, ofWallet, rowsOf } from "./lists.ts";

/** The columns that both have. Each has one more, so that the columns of a file say which of the two it contains. */
export const columns = {
  /** The coin, as the exchange spells it. */
  coin: column.text().notNull(),
  /** The exchange's id of the record. */
  recordId: column.text().notNull(),
  /** When the record was made, by the exchange's clock. */
  at: column.millis().notNull(),
  /** The last change of the record, by the exchange's clock. */
  updatedAt: column.millis(),
  /** The whole amount, positive; of a withdrawal with the fee in it. Unit: coin. */
  amount: column.decimal(),
  /** The fee, negative = paid; a deposit has none. Unit: coin. */
  fee: column.decimal(),
  /** `pending`, `success`, `fail` and others, as the exchange reports it. */
  status: column.text(),
  /** The network, as the exchange names it. */
  network: column.text(),
  /** The address to which it was sent. */
  address: column.text(),
  /** The transaction on the chain; inside the exchange its own id of the movement. */
  txId: column.text(),
  /** The address from which it came. */
  fromAddress: column.text(),
  /** The tag of the address. */
  tag: column.text(),
  /** Confirmations of the network. */
  confirmations: column.text(),
  /** The id that the client gave it. */
  clientId: column.text(),
};

/** What the datasets of both lists have in common. */
export const facts = {
  schedule: "7 * * * *",
  changes: true,
  id: "recordId",
  at: "at",
  scopeColumn: "wallet",
  stableThrough: "txId",
} as const;

const common = {
  orderId: name,
  coin: exactCoin,
  // The direction, which the endpoint says.
  type: text,
  size: optionalDecimal,
  fee: optionalDecimal,
  status: text,
  chain: text,
  toAddress: text,
  fromAddress: text,
  dest: text,
  tag: text,
  confirm: text,
  clientOid: text,
};

const sometimes = ["fee", "tag", "confirm", "clientOid", "fromAddress"] as const;

/** What both API versions send of a record. */
type Common = Record<Exclude<keyof typeof common, "orderId" | "coin">, string | null> & {
  orderId: string;
  coin: string;
};

const rowOf = (fields: Common) => ({
  coin: fields.coin,
  recordId: fields.orderId,
  amount: fields.size,
  fee: fields.fee,
  status: fields.status,
  network: fields.chain,
  address: fields.toAddress,
  fromAddress: fields.fromAddress,
  tag: fields.tag,
  confirmations: fields.confirm,
  clientId: fields.clientOid,
});

const endpoint = (version: ApiVersion, records: "deposits" | "withdrawals", params: readonly string[]) => {
  const folder = version === "v2" ? "/api/v2/spot/wallet" : "/api/v3/account";
  return apiEndpoint(`${version}/${records}` satisfies EndpointName, {
    path: `${folder}/${records.slice(0, -1)}-records`,
    perSecond: 10,
    params: ["coin", "orderId", "startTime*", "endTime*", "limit", ...params],
    summary: records,
  });
};

/** Returns the lists of the deposits or the withdrawals. `way` is the column for `dest`: `on_chain`, or inside the exchange. */
export function walletRecords<Way extends string>(
  records: "deposits" | "withdrawals",
  way: Way,
  all: typeof columns & Record<Way, Column<string | null>>,
) {
  const wayOf = (dest: string | null) => ({ [way]: dest }) as Record<Way, string | null>;
  const classic = listSourceFor(all, {
    endpoint: endpoint("v2", records, ["clientOid", "idLessThan"]),
    ...ofWallet("spot"),
    ...ofNinetyDays,
    pageSize: 100,
    data: list(item({ ...common, tradeId: text, cTime: required(millis), uTime: millis }, [...sometimes])),
    rows: (data) =>
      rowsOf(data, ({ tradeId, cTime, uTime, ...fields }) => ({
        ...rowOf(fields),
        ...wayOf(fields.dest),
        txId: tradeId,
        at: cTime,
        updatedAt: uTime,
      })),
  });
  const unified = listSourceFor(all, {
    endpoint: endpoint("v3", records, ["clientOid", "cursor"]),
    ...ofWallet("funding"),
    ...ofThirtyDays,
    pageSize: 100,
    // A list without a cursor: the id of its last row is one.
    page: byCursor,
    data: list(item({ ...common, recordId: text, createdTime: required(millis), updatedTime: millis }, [...sometimes])),
    rows: (data) =>
      rowsOf(data, ({ recordId, createdTime, updatedTime, ...fields }) => ({
        ...rowOf(fields),
        ...wayOf(fields.dest),
        txId: recordId,
        at: createdTime,
        updatedAt: updatedTime,
      })),
  });
  return { v2: [classic], v3: [unified] };
}
