/** Reads the statement of an account and a month: what it had, what changed it, and how much of that is known and proven. */
import type { Steps } from "../../core/async/cooperate.ts";
import { add, asDecimal, sumOf } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { type Flow, flowsOf, isCounted } from "../../queries/flows.ts";
import { ledgerCause } from "../../queries/ledger.ts";
import { type Period, periodsOf, type Span } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import type { ChainEnd, WalletLedger } from "../../store/history.ts";
import { balances } from "../balances.ts";
import { coverage } from "../coverage.ts";
import { reconciliation } from "../ledger/reconciliation.ts";
import { fees, funding } from "../ledger/sums.ts";
import { type Lines, linesOf, rowsOf, type StatementRow } from "./lines.ts";

/** A month of one account. `now` is when it was read; the month may not have ended by then. */
export interface Statement {
  account: string;
  month: Period;
  timezone: string;
  now: number;
  /** The equity and what changed it; null if the account had no equity then. */
  lines: Lines | null;
  /** Deposits, withdrawals, transfers and rewards, by kind and coin. */
  flows: readonly FlowSum[];
  /** Why flows may be missing; null if none are. */
  flowsCause: string | null;
  /** Up to when flows are known, epoch ms: in a month in progress where its ledger ends. */
  flowsTo: number;
  /** The balances at the close. */
  balances: readonly StatementRow[];
  fees: readonly StatementRow[];
  funding: readonly StatementRow[];
  /** By wallet, on how many of the days up to the present one its ledger is complete. */
  completeDays: ReadonlyMap<string, number>;
  days: number;
  coverage: readonly StatementRow[];
  /** How many stretches of the ledger have each verdict. */
  verdicts: readonly (readonly [verdict: string, stretches: number])[];
  /** The newest link of the chain of digests; null before the first. */
  chain: ChainEnd | null;
}

/** The sum of flows of one kind and coin. Null is unknown. */
export interface FlowSum {
  kind: string;
  coin: string;
  count: number;
  amount: DecimalString | null;
  usdt: DecimalString | null;
}

/** Reads the statement of a month that has begun. */
export function* statementOf(
  { history, now }: Source,
  account: string,
  month: Period,
  timezone: string,
): Steps<Statement> {
  const source = { history, account, now };
  const span: Span = { timezone, by: "month", from: month.from, to: month.to };
  const lines = yield* linesOf(source, account, month, timezone);
  const ledgers = history.ledgers(account);
  const flowsTo = knownTo(ledgers, month, now);
  const { flows, cause } = yield* flowsOf(source, account, { from: month.from, to: flowsTo });
  const days = [...periodsOf({ timezone, by: "day", from: month.from, to: Math.min(month.to, now + 1) })];
  const stretches = yield* rowsOf(reconciliation, source, span);
  const verdicts = new Map<string, number>();
  for (const { verdict } of stretches) verdicts.set(String(verdict), (verdicts.get(String(verdict)) ?? 0) + 1);
  return {
    ...{ account, month, timezone, now },
    ...{ lines, flows: sumsOf(flows), flowsCause: cause, flowsTo },
    balances: yield* rowsOf(balances, source, span),
    fees: yield* rowsOf(fees, source, span),
    funding: yield* rowsOf(funding, source, span),
    completeDays: new Map(ledgers.map((one) => [one.wallet, days.filter((day) => isComplete(one, day, now)).length])),
    days: days.length,
    coverage: yield* rowsOf(coverage, source, span),
    verdicts: [...verdicts].sort(),
    chain: history.chainEnd(),
  };
}

/** Returns the end of a month, or in one in progress, up to when its ledgers were read. */
function knownTo(ledgers: readonly WalletLedger[], { from, to }: Period, now: number): number {
  if (to <= now) return to;
  const current = ledgers.filter((one) => isCounted(one) && one.to > now);
  const through = Math.min(now, ...current.map((one) => one.through + 1));
  return through > from ? through : now;
}

/** Returns whether the ledger of a wallet is complete for a day; the present one goes up to where the ledger was read. */
const isComplete = (ledger: WalletLedger, { from, to }: Period, now: number): boolean =>
  ledgerCause(ledger, { from, to: to > now ? ledger.through : to }) === null;

function sumsOf(flows: readonly Flow[]): FlowSum[] {
  const sums = new Map<string, FlowSum>();
  for (const { kind, coin, amount, usdt } of flows) {
    const key = `${kind} ${coin}`;
    const before = sums.get(key) ?? { kind, coin, count: 0, amount: "0", usdt: "0" };
    sums.set(key, {
      ...{ kind, coin, count: before.count + 1 },
      amount: sumOf([before.amount, amount]),
      usdt: sumOf([before.usdt, usdt]),
    });
  }
  return [...sums.values()].sort((one, other) => (`${one.kind} ${one.coin}` < `${other.kind} ${other.coin}` ? -1 : 1));
}

/** Returns the sum of a column of which every cell is known; null otherwise, and without rows. */
export function totalOf(rows: readonly StatementRow[], column: string): DecimalString | null {
  const cells = rows.map((row) => asDecimal(row[column]));
  return cells.length === 0 || cells.includes(null)
    ? null
    : cells.reduce<DecimalString>((all, one) => add(all, one ?? "0"), "0");
}
