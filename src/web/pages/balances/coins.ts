/** The columns of what is held of each coin in all wallets. */
import { html } from "hono/html";
import { compare, decimalIn } from "../../../core/decimal.ts";
import { escapeControlChars } from "../../../core/text.ts";
import { walletLabel } from "../../../output/labels.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { coins } from "../../data/coins.ts";
import type { View } from "../../data/table.ts";
import { type Html, none, shareFigure, unknownMark } from "../parts/figure.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import { columnsFor, placed, type ShownColumn } from "../parts/table.ts";
import { dashWithoutPrice } from "./wallets.ts";

const names = [
  "coin",
  "total",
  "usdt_value",
  "share",
  "usdt_price",
  "price_change",
  "change",
  "usdt_result",
  "wallets",
];

const places = { coin: "lead", usdt_value: "figure", total: "more", usdt_result: "detail", wallets: "wide" } as const;

export const coinColumns = (view: View): ShownColumn[] =>
  placed(
    columnsFor(coins, view, names, {
      coin: (row) =>
        html`<a href="${linkTo("/balances", stickyParams(view), { by: "wallet", q: row.coin, show: "all" })}">${escapeControlChars(String(row.coin))}</a>`,
      usdt_price: dashWithoutPrice,
      usdt_value: dashWithoutPrice,
      share: shareCell,
      price_change: (row) => signedShare(row, view),
      usdt_result: dashWithoutPrice,
      wallets: (row) => html`<small>${String(row.wallets).split(", ").map(walletLabel).join(", ")}</small>`,
    }),
    places,
  );

/** Shows a dash where the coin has no price, or all coins together have no value. */
function shareCell(row: HistoryRow, plain: Html): Html {
  if (row.share !== null) return html`<progress max="1" value="${row.share}" aria-hidden="true"></progress> ${plain}`;
  return row.usdt_value === null ? dashWithoutPrice(row, plain) : none("–");
}

function signedShare(row: HistoryRow, view: View): Html {
  const moved = decimalIn(row, "price_change");
  if (row.coin === "USDT" || row.price_state === "none") return none("–");
  if (moved === null) return unknownMark();
  return html`${compare(moved, "0") > 0 ? "+" : ""}${shareFigure(moved, view)}`;
}
