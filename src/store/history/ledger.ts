/** Defines how the exchange's ledger and its reconciliation are read. */
import type { Cell, DecimalString } from "../../core/domain.ts";
import type { Verdict } from "../../reconciliation/verdict.ts";
import type { HistoryRow, Span } from "./span.ts";

/** Reads the reconciliation of the exchange's ledger. */
export interface LedgerHistory {
  /** Returns the statement that shows the balances that the ledger proves, also without a snapshot; null where it does not prove all of them. */
  rebuiltBalances(of: BalancesAt): string | null;
  /** Returns the stretches that overlap a span, by account, wallet, coin and time, with the columns of the view `reconciliation`. */
  reconciliation(filter: ReconciliationFilter): { columns: string[]; rows: Cell[][] };
  /** Returns the state of every wallet that has a ledger. */
  ledgerProofs(): WalletProof[];
  /**
   * Yields the entries of one coin in one wallet with a time up to `at` (epoch ms), with the columns of the view `bills`: newest first, in
   * the order in which their balances follow. The first `skip` entries are left out.
   */
  ledgerEntries(chain: LedgerChain, at: number, skip?: number): Iterable<HistoryRow>;
  /** Returns the ledgers that were ever read, of one account or of all (null). */
  ledgers(account: string | null): WalletLedger[];
  /** Returns the time of the earliest record, which is often before the first run; null if there is none. Reads all of them. */
  firstRecord(): number | null;
  /** Yields the entries of a span by their own time, oldest first, of one account or of all (null); of each the newest version. */
  entries(account: string | null, span: Span): Iterable<LedgerEntry>;
  /** Yields the same entries with all that the exchange lists of them; those of one millisecond in the order in which their balances follow. */
  detailedEntries(account: string | null, span: Span): Iterable<DetailedEntry>;
}

/** A dataset of an account, or one product type of it, at an instant (epoch ms). */
export interface BalancesAt {
  account: string;
  dataset: string;
  productType: string | null;
  at: number;
}

/** The ledger of one wallet, and how far it was collected. Times are epoch ms. */
export interface WalletLedger {
  account: string;
  wallet: string;
  /** When the wallet began and ended, because the account was changed to a unified one. */
  from: number;
  to: number;
  /** Where the ledger was not collected, and why. */
  holes: readonly (Span & { cause: string })[];
  /** Up to when it was collected. */
  through: number;
}

/** An entry of the exchange's ledger, with the columns of the view `bills`. */
export interface LedgerEntry {
  account: string;
  wallet: string;
  coin: string;
  /** Epoch ms. */
  at: number;
  kind: string;
  amount: DecimalString | null;
  fee: DecimalString | null;
  /** What it changed the balance by; null if that is unknown. */
  change: DecimalString | null;
}

/** An entry with what identifies it. */
export interface DetailedEntry extends LedgerEntry {
  /** The exchange's id, unique within wallet and category. */
  id: string;
  /** The list that it is in: the wallet, or a category of the unified wallet such as `unified/SPOT`. */
  category: string;
  /** The exchange's own text for what happened; may be empty. */
  type: string;
  /** The balance after it; null is unknown. */
  balance: DecimalString | null;
  symbol: string | null;
  orderId: string | null;
}

/** A coin in a wallet at an instant (epoch ms). */
export interface LedgerRef {
  account: string;
  wallet: string;
  coin: string;
  from: number;
}

/** A stretch in which the entries do not explain the change of the balance; they lack `residual`. */
export interface LedgerBreak extends LedgerRef {
  to: number;
  residual: DecimalString;
}

/** How much of the ledger of a wallet is proven. Wallets without a ledger have none. */
export interface WalletProof {
  account: string;
  wallet: string;
  /** The time from the beginning of its ledger on, the sum over all coins, and the part of it that is proven or rounded. Milliseconds. */
  totalMs: number;
  provenMs: number;
  breaks: number;
  /** False if all this is by the rules of another version of the program, until the next pass. */
  isCurrent: boolean;
  /** The exchange's time of the newest entry (epoch ms); null if there is none. */
  newestAt: number | null;
}

/** Reads the verdicts of the reconciliation. */
export interface LedgerReads {
  /** Returns the breaks of an account, by wallet, coin and time. */
  breaks(account: string): LedgerBreak[];
  /** Returns the verdict on the stretch that contains an instant, not as its end; null if there is none. */
  verdictAt(ref: LedgerRef): Verdict | null;
  /** Returns the state of every wallet that has a ledger. */
  proofs(): WalletProof[];
}

/** One coin in one wallet of one account; the coin in any case. */
export interface LedgerChain {
  account: string;
  wallet: string;
  coin: string;
}

/** Selects stretches; undefined selects all. A coin in any case. */
export interface ReconciliationFilter extends Span {
  account: string | undefined;
  wallet: string | undefined;
  coin: string | undefined;
}
