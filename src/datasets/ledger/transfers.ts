/**
 * Transfers between the main account and its sub-accounts, those that this account started and those that it received.
 *
 * Transfers between wallets of one account are not here: v2 lists them only coin by coin and wallet by wallet, v3 not at all. Both of
 * their legs are in `bills` (`kind` is `transfer`).
 *
 * Sources: https://www.bitget.com/api-doc/spot/account/Get-SubAccount-TransferRecords,
 * https://www.bitget.com/api-doc/uta/account/Get-Sub-Transfer-Record
 */
import { z } from "zod";
import { apiEndpoint } from "../../bitget/endpoints.ts";
import * as column from "../../core/columns.ts";
import type { Scope } from "../../core/domain.ts";
import { exactCoin, item, list, millis, name, optionalDecimal, required, text } from "../fields.ts";
import { incrementalDataset, listSourceFor } from "../incremental.ts";
import { byCursor, ofNinetyDays, rowsOf } from "./lists.ts";

const columns = {
  /** The coin, as the exchange spells it. */
  coin: column.text().notNull(),
  /** The exchange's id of the transfer; one between two recorded accounts is there once for each. */
  transferId: column.text().notNull(),
  /** The time of the transfer, by the exchange's clock. */
  at: column.millis().notNull(),
  /** The amount, positive. Unit: coin. */
  amount: column.decimal(),
  /** The wallet that it left, as the exchange names it: `spot`, `usdt_futures`, `uta` and others. */
  fromWallet: column.text(),
  /** The wallet that received it. */
  toWallet: column.text(),
  /** `Successful`, `Failed`, `Processing`, as the exchange reports it. */
  status: column.text(),
  /** The user that sent it, by the exchange's id. */
  fromUser: column.text(),
  /** The user that received it. */
  toUser: column.text(),
  /** The id that the client gave it. */
  clientId: column.text(),
  /** The id of the transfer before the account was unified (v3). */
  oldTransferId: column.text(),
  /** The last change of the transfer, by the exchange's clock (v3). */
  updatedAt: column.millis(),
};

/** The exchange lists the transfers that an account started, and those that it received, separately. */
const perRole = {
  scopes: (): Scope[] => ["initiator", "receiver"],
  params: (scope: Scope) => ({ role: String(scope) }),
};

const classic = listSourceFor(columns, {
  endpoint: apiEndpoint("v2/transfers", {
    path: "/api/v2/spot/account/sub-main-trans-record",
    perSecond: 20,
    params: ["coin", "role", "subUid", "startTime", "endTime", "clientOid", "limit", "idLessThan"],
    summary: "transfers between main account and sub-accounts",
  }),
  ...perRole,
  ...ofNinetyDays,
  pageSize: 100,
  data: list(
    item(
      {
        coin: exactCoin,
        status: text,
        toType: text,
        fromType: text,
        size: optionalDecimal,
        ts: required(millis),
        clientOid: text,
        transferId: name,
        fromUserId: text,
        toUserId: text,
      },
      ["clientOid"],
    ),
  ),
  rows: (data) =>
    rowsOf(data, ({ toType, fromType, size, ts, clientOid, fromUserId, toUserId, ...same }) => ({
      ...same,
      at: ts,
      amount: size,
      fromWallet: fromType,
      toWallet: toType,
      fromUser: fromUserId,
      toUser: toUserId,
      clientId: clientOid,
      oldTransferId: null,
      updatedAt: null,
    })),
});

const transfer = item(
  {
    transferId: name,
    oldTransferId: text,
    fromType: text,
    toType: text,
    amount: optionalDecimal,
    coin: exactCoin,
    fromUserId: text,
    toUserId: text,
    status: text,
    clientOid: text,
    createdTime: required(millis),
    updatedTime: millis,
  },
  ["clientOid", "oldTransferId"],
);

const unified = listSourceFor(columns, {
  endpoint: apiEndpoint("v3/transfers", {
    path: "/api/v3/account/sub-transfer-record",
    perSecond: 5,
    params: ["subUid", "role", "coin", "startTime", "endTime", "clientOid", "limit", "cursor"],
    summary: "transfers between main account and sub-accounts",
  }),
  ...perRole,
  ...ofNinetyDays,
  pageSize: 100,
  page: byCursor,
  // Clients of the exchange differ in the name of the list.
  data: z.object({
    list: list(transfer).nullish(),
    items: list(transfer).nullish(),
    cursor: text.transform((cursor) => cursor ?? null),
  }),
  cursor: ({ cursor }) => cursor,
  rows: (data) =>
    rowsOf(data.list ?? data.items ?? [], ({ fromType, toType, fromUserId, toUserId, clientOid, ...rest }) => {
      const { createdTime, updatedTime, ...same } = rest;
      return {
        ...same,
        at: createdTime,
        fromWallet: fromType,
        toWallet: toType,
        fromUser: fromUserId,
        toUser: toUserId,
        clientId: clientOid,
        updatedAt: updatedTime,
      };
    }),
});

export const transfers = incrementalDataset({
  name: "transfers",
  summary: "Transfers between the main account and its sub-accounts",
  schedule: "7 * * * *",
  columns,
  id: "transferId",
  at: "at",
  stableThrough: "status",
  sources: { v2: [classic], v3: [unified] },
});
