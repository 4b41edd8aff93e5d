/** The entries of a simulated ledger, and their names in the ledgers of the exchange. */
import type { IsolatedPair, ProductType } from "../../core/domain.ts";
import type { Amount } from "../market/amount.ts";
import { liveProducts, productOfCode } from "../market/futures-products.ts";

export type Mode = "classic" | "unified";

/** A wallet of a classic account. A unified account has the funding wallet, and one that contains all others but margin. */
export type WalletName = "spot" | "funding" | ProductType | IsolatedPair;

export interface Entry {
  wallet: WalletName;
  /** As the exchange spells it: `rTOWN` is not upper case. */
  coin: string;
  kind: EntryKind;
  /** Signed, without the fee. */
  amount: Amount;
  /** Negative when paid. */
  fee: Amount;
  /** What the balance changes by: amount and fee, or nothing for a move between margin and wallet. */
  change: Amount;
  /** Epoch ms. */
  at: number;
  /** The time in a classic account where it is another one. Epoch ms. */
  classicAt?: number;
  symbol?: string;
  orderId?: string;
  /** The position that the entry is about. */
  position?: { side: "long" | "short"; isIsolated: boolean; isOneWay: boolean };
  /** The mode of the accounts that have this entry. Default: both. */
  only?: Mode;
  /** What is frozen or locked of the coin, where balances in ledgers leave that out. */
  frozen?: Amount;
  /** Grows from one entry to the next. */
  serial: number;
}

/** The names of one kind of entry. */
interface Naming {
  /** The class in ledgers that have two levels. */
  group: string;
  classic(entry: Entry): string;
  unified(entry: Entry): string;
  /** The category of a unified account. Default: SPOT for the spot wallet, the product type for futures. */
  category?: "OTHER";
}

type Name = (entry: Entry) => string;

const always =
  (name: string): Name =>
  () =>
    name;
const signed =
  (received: string, paid: string): Name =>
  ({ amount }) =>
    amount < 0n ? paid : received;
const sided =
  (name: string): Name =>
  ({ position }) =>
    `${name}${position?.side ?? "long"}`;
/** Names a trade by its side in hedge mode, and by `buy` or `sell` in one-way mode. */
const traded =
  (hedge: Name, opens: boolean, oneWay: (deal: "buy" | "sell") => string): Name =>
  (entry) => {
    const { side = "long", isOneWay = false } = entry.position ?? {};
    return isOneWay ? oneWay((side === "long") === opens ? "buy" : "sell") : hedge(entry);
  };
const upper =
  (name: Name): Name =>
  (entry) =>
    name(entry).toUpperCase();

const dealt = signed("ORDER_DEALT_IN", "ORDER_DEALT_FROZEN_OUT");
const moved = signed("TRANSFER_IN", "TRANSFER_OUT");
const margined =
  (crossed: Name, isolated: Name): Name =>
  (entry) =>
    entry.position?.isIsolated ? isolated(entry) : crossed(entry);

/** Types of the documentation and of captured responses, in their spelling, which differs from one to the next. */
const names = {
  buy: { group: "transaction", classic: always("BUY"), unified: dealt },
  sell: { group: "transaction", classic: always("SELL"), unified: dealt },
  feeInBgb: {
    group: "transaction",
    classic: always("DEDUCTION_HANDLING_FEE"),
    unified: always("ORDER_PLF_FEE_OUT"),
  },
  deposit: { group: "deposit", classic: always("deposit"), unified: always("deposit"), category: "OTHER" },
  withdrawal: { group: "withdraw", classic: always("WITHDRAW"), unified: always("withdraw"), category: "OTHER" },
  /** What the funding wallet of a unified account gets for a withdrawal; the exchange sends no type. */
  pulled: { group: "withdraw", classic: always(""), unified: always(""), category: "OTHER" },
  transfer: { group: "transfer", classic: signed("transfer-in", "transfer_out"), unified: moved, category: "OTHER" },
  fundingTransfer: {
    group: "transfer",
    classic: always(""),
    unified: signed("transfer_in", "transfer_out"),
    category: "OTHER",
  },
  exchangeTransfer: {
    group: "transfer",
    classic: signed("trans_from_exchange", "trans_to_exchange"),
    unified: moved,
    category: "OTHER",
  },
  /** Money from a trading bot, a wallet without a ledger. */
  strategyTransfer: {
    group: "strategy",
    classic: signed("trans_from_strategy", "trans_to_strategy"),
    unified: moved,
    category: "OTHER",
  },
  /** The ledgers of margin have names of their own; a unified account has none of them. */
  marginTransfer: { group: "", classic: signed("transfer_in", "transfer_out"), unified: always("") },
  borrow: { group: "", classic: always("borrow"), unified: always("") },
  repay: { group: "", classic: always("Repay"), unified: always("") },
  marginDeal: { group: "", classic: signed("deal_in", "deal_out"), unified: always("") },
  convert: {
    group: "convert",
    classic: signed("ORDER_EXCHANGE_IN", "ORDER_EXCHANGE_OUT"),
    unified: signed("EXCHANGE_TARGET_TOKEN_USER_IN", "EXCHANGE_SOURCE_TOKEN_USER_OUT"),
  },
  reward: {
    group: "other",
    classic: always("AIRDROP_REWARDS"),
    unified: always("BONUS_GRANT_USER_IN"),
    category: "OTHER",
  },
  /** A type that no documentation has. */
  unknown: {
    group: "other",
    classic: always("SEASON_GIFT_USER_IN"),
    unified: always("SEASON_GIFT_USER_IN"),
    category: "OTHER",
  },
  open: {
    group: "",
    classic: traded(sided("open_"), true, (deal) => deal),
    unified: upper(traded(sided("OPEN_"), true, (deal) => `${deal}_DEAL`)),
  },
  close: {
    group: "",
    classic: traded(sided("close_"), false, (deal) => deal),
    unified: upper(traded(sided("CLOSE_"), false, (deal) => `${deal}_DEAL`)),
  },
  force: {
    group: "",
    classic: traded(sided("force_close_"), false, (deal) => `force_${deal}`),
    unified: upper(traded(sided("FORCE_CLOSE_"), false, (deal) => `FORCE_${deal}_SSM`)),
  },
  burst: {
    group: "",
    classic: traded(
      ({ position }) => `burst_${position?.side ?? "long"}_loss_query`,
      false,
      (deal) => `burst_${deal}`,
    ),
    unified: upper(traded(sided("BURST_CLOSE_"), false, (deal) => `BURST_${deal}_SSM`)),
  },
  adl: {
    group: "",
    classic: traded(sided("adl_close_"), false, (deal) => `adl_${deal}_in_single_side_mode`),
    unified: upper(sided("OFFSET_REDUCE_CLOSE_")),
  },
  delivery: { group: "", classic: sided("delivery_"), unified: upper(sided("DELIVERY_")) },
  settle: {
    group: "",
    classic: always("contract_settle_fee"),
    unified: margined(
      signed("CONTRACT_MAIN_SETTLE_FEE_USER_IN", "CONTRACT_MAIN_SETTLE_FEE_USER_OUT"),
      signed("MARGIN_SETTLE_FEE_USER_IN", "MARGIN_SETTLE_FEE_USER_OUT"),
    ),
  },
  insurance: {
    group: "",
    classic: always("risk_captital_user_transfer"),
    unified: signed("RISK_LIQ_USER_IN", "RISK_LIQ_USER_OUT"),
  },
  margin: { group: "", classic: always("append_margin"), unified: always("INCREASE_MARGIN") },
} as const satisfies Record<string, Naming>;

export type EntryKind = keyof typeof names;

const namingOf = ({ kind }: Pick<Entry, "kind">): Naming => names[kind];

export const groupOf = (entry: Pick<Entry, "kind">): string => namingOf(entry).group;

/** Returns the type of an entry in the ledger of a classic or unified account. */
export const typeOf = (entry: Entry, mode: Mode): string => namingOf(entry)[mode](entry);

/** Spot coins that are traded with margin in a unified account. */
const marginCoins = new Set(["LTC", "AVAX"]);

/** Returns the category of an entry in the unified wallet, in the spelling of its rows. */
export function categoryOf(entry: Pick<Entry, "kind" | "wallet" | "symbol">): string {
  const { category } = namingOf(entry);
  if (category) return category;
  if (entry.wallet === "spot") return marginCoins.has(entry.symbol?.replace(/USDT$/, "") ?? "") ? "Margin" : "SPOT";
  return productOfCode(entry.wallet)?.category ?? "OTHER";
}

/** Returns whether a wallet is part of the wallet of a unified account. */
export const isUnified = (wallet: WalletName): boolean =>
  wallet === "spot" || liveProducts.some(({ code }) => code === wallet);
