/** Reads the statement of an account and a month: what it had, what changed it, and how much of that is known and proven. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { add, asDecimal, sumOf } from "../../core/decimal.ts";
import type { Cell, DecimalString } from "../../core/domain.ts";
import { type Flow, flowsOf } from "../../queries/flows.ts";
import type { Period, Span } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import type { ChainEnd } from "../../store/history.ts";
import { balances } from "../balances.ts";
import { coverage } from "../coverage.ts";
import { pnl } from "../ledger/pnl.ts";
import { reconciliation } from "../ledger/reconciliation.ts";
import { fees, funding } from "../ledger/sums.ts";
import { headerOf, type Report } from "../report.ts";

/** The row of a report, by column. */
export type StatementRow = Readonly<Record<string, Cell>>;

/** A month of one account. `now` is when it was read; the month may not have ended by then. */
export interface Statement {
  account: string;
  month: Period;
  timezone: string;
  now: number;
  /** The row of `report pnl`; null if the account had no equity then. */
  pnl: StatementRow | null;
  /** Deposits, withdrawals, transfers and rewards, by kind and coin. */
  flows: readonly FlowSum[];
  /** Why flows may be missing; null if none are. */
  flowsCause: string | null;
  /** The balances at the close. */
  balances: readonly StatementRow[];
  fees: readonly StatementRow[];
  funding: readonly StatementRow[];
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
  const [result] = yield* rowsOf(pnl, source, span);
  const known = { from: month.from, to: Math.min(month.to, now) };
  const { flows, cause } = yield* flowsOf(source, account, known);
  const stretches = yield* rowsOf(reconciliation, source, span);
  const verdicts = new Map<string, number>();
  for (const { verdict } of stretches) verdicts.set(String(verdict), (verdicts.get(String(verdict)) ?? 0) + 1);
  return {
    ...{ account, month, timezone, now },
    pnl: result ?? null,
    flows: sumsOf(flows),
    flowsCause: cause,
    balances: yield* rowsOf(balances, source, span),
    fees: yield* rowsOf(fees, source, span),
    funding: yield* rowsOf(funding, source, span),
    coverage: yield* rowsOf(coverage, source, span),
    verdicts: [...verdicts].sort(),
    chain: history.chainEnd(),
  };
}

function* rowsOf(report: Report, source: Source, span: Span): Steps<StatementRow[]> {
  const header = headerOf(report, span);
  const rows: StatementRow[] = [];
  for (const row of report.rows(source, span)) {
    if (row === pause) yield pause;
    else rows.push(Object.fromEntries(header.map((name, at) => [name, row[at] ?? null])));
  }
  return rows;
}

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
