/** Recomputes the reconciliation of the exchange's ledger from records and snapshots, and compares it with the stored one. */
import { pause, type Steps } from "../../../core/async/cooperate.ts";
import { normalize, sum } from "../../../core/decimal.ts";
import { type Finding, Findings } from "../../../reconciliation/chain.ts";
import type { Interval } from "../../../reconciliation/verdict.ts";
import { saysMore, stepRows, uncoveredBalances } from "../../ledger/derived-rows.ts";
import { EntryReader } from "../../ledger/entries.ts";
import { type ChainState, LedgerRows, type StepRow } from "../../ledger/ledger-rows.ts";
import { type Wallet, WalletReader } from "../../ledger/wallets.ts";
import { allOfAccount } from "../../read/ledger/rules.ts";
import type { Sqlite } from "../../sqlite/database.ts";
import type { Report } from "../problem.ts";
import { prunedUntil, type Readers, type Recomputed, recomputations, type StoredChain } from "./recompute.ts";
import { differences, digitsOf, hexOf, placeText, type Row, readRows } from "./stored-rows.ts";

/**
 * Reports rows that do not follow from records and snapshots; `reconcile --full` replaces them. Leaves out accounts that were reconciled
 * by other rules. Call it only if records and snapshots are unaltered.
 */
export function* checkLedger(sqlite: Sqlite, report: Report, outdated: readonly string[]): Steps<void> {
  const rows = new LedgerRows(sqlite);
  const readers = { sqlite, wallets: new WalletReader(sqlite), entries: new EntryReader(sqlite) };
  for (const { id, name } of rows.accounts()) {
    if (outdated.includes(name)) continue;
    const check = new LedgerCheck(readers, id, rows.findings(id), (problem) => report(`${name} ${problem}`));
    for (const wallet of readers.wallets.wallets(id))
      for (const [coin, state] of rows.chains(id, wallet.name)) {
        check.chain(wallet, coin, state);
        yield pause;
      }
    check.end();
  }
}

const stretchColumns = ["from_at", "to_at", "opening", "change", "entries", "closing", "residual", "verdict", "cause"];

/** Checks the chains of one account. */
class LedgerCheck {
  readonly #sqlite: Sqlite;
  readonly #accountId: number;
  readonly #findings: readonly Finding[];
  readonly #report: Report;
  readonly #readers: Readers;
  readonly #checked = new Set<string>();
  /** What the entries of the checked chains show. */
  readonly #shown = new Map<string, number>();
  /** The stored rows of entries that were not met yet. */
  readonly #steps: Map<string, Row>;

  constructor(readers: Readers, accountId: number, findings: readonly Finding[], report: Report) {
    const { sqlite } = readers;
    this.#sqlite = sqlite;
    this.#readers = readers;
    this.#accountId = accountId;
    this.#findings = findings;
    this.#report = report;
    const ofAccount =
      "scope_id in (select p.id from scope p join series e on e.id = p.series_id where e.account_id = ?)";
    const rows = readRows(sqlite, "bill_step", ["scope_id", "bill_id", "change", "booked_at", "position"], ofAccount, [
      accountId,
    ]);
    this.#steps = new Map(rows.map((row) => [stepKey(row), row]));
  }

  /** Checks one coin in one wallet. */
  chain(wallet: Wallet, coin: string, state: ChainState): void {
    this.#checked.add(`${wallet.name} ${coin}`);
    const ofChain = [this.#accountId, wallet.name, coin];
    const read = (table: string, columns: readonly string[]) =>
      readRows(this.#sqlite, table, columns, "account_id = ? and wallet = ? and coin = ?", ofChain);
    const stretches = read("reconciled", stretchColumns);
    const balances = read("snapshot_balance", ["at", "balance"]);
    const chains = read("ledger_chain", ["coin", "settled_at", "settled_balance", "last_settled"]);
    const from = wallet.scopeId === null ? 0 : prunedUntil(this.#sqlite, wallet.scopeId);
    const stored = { wallet, coin, state, stretches: stretches.map(verdictOf) };
    let least: { problems: string[]; result: Recomputed } | null = null;
    for (const result of recomputations(this.#readers, stored, () => new Findings(this.#findings))) {
      const problems = [
        ...differences("reconciled", since(stretches, from), since(result.intervals.map(stretchRow), from)),
        ...differences("snapshot_balance", since(balances, from), since(balanceRows(result), from)),
        ...(from === 0 ? differences("ledger_chain", chains, [chainRow(coin, result)]) : []),
      ];
      if (!least || problems.length < least.problems.length) least = { problems, result };
      if (problems.length === 0) break;
    }
    if (!least) return;
    const problems = [...least.problems, ...this.#stepProblems(least.result), ...sumProblems(stretches, from)];
    if (!this.#isLastOfRun(wallet, state.billsThrough))
      problems.push(`(ledger_chain.bills_through): no run of its bills ended with snapshot ${state.billsThrough}`);
    for (const problem of problems) this.#report(`ledger of ${coin} in ${wallet.name} ${problem}`);
    this.#count(least.result.findings);
  }

  /** Reports rows that belong to no chain, and findings that no entry shows. */
  end(): void {
    const chains = this.#sqlite.prepare<[number, number, number], { wallet: string; coin: string; name: string }>(
      `select wallet, coin, 'ledger_chain' as name from ledger_chain where account_id = ? and wallet <> '${allOfAccount}' union
       select wallet, coin, 'reconciled' from reconciled where account_id = ? union
       select wallet, coin, 'snapshot_balance' from snapshot_balance where account_id = ?`,
    );
    for (const { wallet, coin, name } of chains.all(this.#accountId, this.#accountId, this.#accountId))
      if (!this.#checked.has(`${wallet} ${coin}`))
        this.#report(
          `ledger of ${coin} in ${wallet} (ledger_chain): ${name === "ledger_chain" ? "is in no wallet of the account" : `has no row, but ${name} has some`}`,
        );
    for (const { scope_id, bill_id } of this.#steps.values())
      this.#report(`bill ${bill_id} of scope ${scope_id} (bill_step): has a row, expected none`);
    for (const finding of this.#findings) {
      const entries = this.#shown.get(findingKey(finding)) ?? 0;
      this.#shown.delete(findingKey(finding));
      // Later entries may show it as well.
      if (finding.entries < 1 || finding.entries > entries)
        this.#report(`${findingText(finding)} (ledger_finding.entries): is ${finding.entries}, but ${entries} show it`);
    }
    for (const key of this.#shown.keys()) this.#report(`${JSON.parse(key).join(" ")} (ledger_finding): has no row`);
  }

  #stepProblems({ steps }: Recomputed): string[] {
    return [...stepRows(steps)].flatMap((step) => {
      const expected = saysMore(step) ? [stepRow(step)] : [];
      const key = `${step.scopeId} ${step.billId}`;
      const found = this.#steps.get(key);
      this.#steps.delete(key);
      return differences("bill_step", found ? [found] : [], expected, "bill_id");
    });
  }

  #isLastOfRun({ billScopes }: Wallet, snapshotId: number): boolean {
    if (snapshotId === 0) return billScopes.length === 0;
    const last = this.#sqlite
      .prepare<[number], number | null>(
        `select max(id) from snapshot where run_id = (select run_id from snapshot where id = ?)
           and scope_id in (${billScopes.join(", ")})`,
      )
      .pluck();
    return last.get(snapshotId) === snapshotId;
  }

  /** Adds what a chain shows beyond what is stored of all. */
  #count(all: readonly Finding[]): void {
    const known = new Map(this.#findings.map((finding) => [findingKey(finding), finding.entries]));
    for (const finding of all) {
      const key = findingKey(finding);
      const shown = finding.entries - (known.get(key) ?? 0);
      if (shown > 0) this.#shown.set(key, (this.#shown.get(key) ?? 0) + shown);
    }
  }
}

const stepKey = ({ scope_id, bill_id }: Row): string => `${scope_id} ${bill_id}`;
const findingKey = ({ category, type, convention }: Finding): string => JSON.stringify([category, type, convention]);
const findingText = ({ category, type, convention }: Finding): string => `${category} ${type} ${convention}`;

/** Returns the rows that begin at an instant (epoch ms) or later. */
const since = (rows: readonly Row[], instant: number): Row[] =>
  rows.filter((row) => Number(row.from_at ?? row.at) >= instant);

const verdictOf = ({ from_at, to_at, verdict, cause }: Row): StoredChain["stretches"][number] => ({
  from: Number(from_at),
  to: Number(to_at),
  verdict: String(verdict),
  cause: cause === null ? null : String(cause),
});

const stretchRow = ({ from, to, entries, verdict, cause, ...amounts }: Interval): Row => ({
  from_at: from,
  to_at: to,
  opening: hexOf(amounts.opening),
  change: hexOf(amounts.change),
  entries,
  closing: hexOf(amounts.closing),
  residual: hexOf(amounts.residual),
  verdict,
  cause,
});

const balanceRows = ({ snapshots, intervals }: Recomputed): Row[] =>
  uncoveredBalances(snapshots, intervals).map(({ at, balance }) => ({ at, balance: hexOf(balance) }));

const stepRow = ({ scopeId, billId, change, bookedAt, position }: StepRow): Row => ({
  scope_id: scopeId,
  bill_id: billId,
  change: change && hexOf(change),
  booked_at: bookedAt,
  position,
});

const chainRow = (coin: string, { settled }: Recomputed): Row => ({
  coin,
  settled_at: settled?.at ?? null,
  settled_balance: settled && hexOf(settled.balance),
  last_settled: settled && JSON.stringify(settled.intervals.at(-1)),
});

/** Returns the stretches before pruned snapshots, which cannot be recomputed, whose own amounts do not add up. */
const sumProblems = (stretches: readonly Row[], from: number): string[] =>
  stretches
    .filter(({ from_at }) => Number(from_at) < from)
    .filter(({ opening, change, residual, closing }) => {
      const [one, two, three, all] = [opening, change, residual, closing].map((cell) => digitsOf(String(cell)));
      return sum([one ?? "", two ?? "", three ?? ""]) !== normalize(all ?? "");
    })
    .map(({ from_at }) => `at ${placeText(from_at)} (reconciled): opening, change and residual do not give closing`);
