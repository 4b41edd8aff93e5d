/** Computes the expected state at the close of a period, and its coverage, from the exchange's record. */
import type { DatasetName, Scope } from "../../../src/core/domain.ts";
import type { TrueRow } from "../../../src/simulator/simulator.ts";
import type { Period } from "./calendar.ts";
import { digitsOf, total } from "./exact.ts";
import { accounts } from "./failures.ts";
import { lastAt } from "./history.ts";
import { answersOf, runsOf, series } from "./runs.ts";
import { apiAt, hour, periodAt, type SimulatedMonth } from "./simulate.ts";
import type { TrueSnapshot, Truth } from "./truth.ts";

/** The close of one scope. `last` is null where it is unknown, `scope` undefined before the first request. */
export interface Close {
  account: string;
  scope: Scope | undefined;
  last: TrueSnapshot | null;
}

export interface Wallet {
  account: string;
  wallet: string;
  dataset: DatasetName;
  last: TrueSnapshot | null;
}

export const text = (cell: string | number | null | undefined): string | null =>
  cell === null || cell === undefined ? null : String(cell);

/** Returns the exact total of a coin in a wallet; null where a part of it is unknown. */
export function totalOf(wallet: string, row: TrueRow): string | null {
  if (wallet !== "spot" && wallet !== "funding") return text(row.equity);
  const parts = (wallet === "spot" ? ["available", "frozen", "locked"] : ["available", "frozen"]).map(
    (name) => row[name],
  );
  return parts.every((part) => typeof part === "string") ? digitsOf(total(parts)) : null;
}

export function createClosings(month: SimulatedMonth, truth: Truth) {
  /** Returns the end of a period, or the current time while it is going on. */
  const closingAt = ({ to }: Period): number => Math.min(to - 1, month.ended);

  const runs = new Map(series.map((one) => [`${one.account} ${one.dataset}`, runsOf(month, one.account, one.dataset)]));

  /** Every scope of a series in the order of its first request. */
  const requested = new Map(
    series.map(({ account, dataset }) => {
      const answers = answersOf(month, account, dataset);
      const scopes = [...new Set(answers.map(({ scope }) => scope))];
      const since = (scope: Scope) => answers.find((one) => one.scope === scope)?.slot ?? Number.POSITIVE_INFINITY;
      return [`${account} ${dataset}`, scopes.map((scope) => ({ scope, since: since(scope) }))] as const;
    }),
  );

  function coverage({ from, to }: Period, account: string, dataset: DatasetName) {
    const due = (runs.get(`${account} ${dataset}`) ?? []).filter(({ slot }) => slot >= from && slot < to);
    const of = (state: string) => due.filter((run) => run.state === state).length;
    const ok = of("ok");
    const causes = new Map<string, number>();
    for (const state of ["failed", "missed", "partial"]) {
      for (const cause of due
        .filter((run) => run.state === state)
        .map((run) => String(run.cause))
        .sort())
        causes.set(cause, (causes.get(cause) ?? 0) + 1);
    }
    return {
      counts: [due.length, ok, of("partial"), of("failed"), of("missed"), 0],
      word: wordFor({ from, to }, due.length, ok),
      causes: [...causes].sort(([, a], [, b]) => b - a).map(([cause, slots]) => `${cause}: ${slots}`),
    };
  }

  function wordFor({ from, to }: Pick<Period, "from" | "to">, due: number, ok: number): string {
    if (to > month.ended) return "going on";
    if (due === 0) return "not due";
    if (ok < due) return ok === 0 ? "none" : "gaps";
    const firstSlot = Math.ceil(from / (2 * hour)) * 2 * hour;
    return firstSlot < month.began ? "partly due" : "complete";
  }

  function closesOf(dataset: DatasetName, period: Period): Close[] {
    const instant = closingAt(period);
    if (instant < month.began) return [];
    return (dataset === "prices" ? ["public"] : accounts).flatMap((account): Close[] => {
      const asked = (requested.get(`${account} ${dataset}`) ?? [])
        .filter(({ since, scope }) => since <= instant && truth.retiredAt(account, dataset, scope) > instant)
        .map(({ scope }) => scope);
      if (asked.length === 0) return [{ account, scope: undefined, last: null }];
      return asked.map((scope) => {
        const last = lastAt(truth.of(account, dataset, scope), instant);
        return { account, scope, last: last && instant - last.slot <= 2 * periodAt(instant) ? last : null };
      });
    });
  }

  function walletsOf(period: Period): Wallet[] {
    const spot = closesOf("spot-assets", period).map(({ account, last }): Wallet => {
      const isUnified = apiAt(account, last?.slot ?? closingAt(period)) === "v3";
      return { account, wallet: isUnified ? "unified" : "spot", dataset: "spot-assets", last };
    });
    const funding = closesOf("funding-assets", period).map(
      ({ account, last }): Wallet => ({ account, wallet: "funding", dataset: "funding-assets", last }),
    );
    const futures = closesOf("mix-accounts", period).map(
      ({ account, scope, last }): Wallet => ({ account, wallet: scope ?? "futures", dataset: "mix-accounts", last }),
    );
    // Two datasets contain the unified wallet, which counts once.
    const all = [...spot, ...funding, ...futures];
    return all.filter((one) => {
      const twins = all.filter(({ account, wallet }) => account === one.account && wallet === "unified");
      return one.wallet !== "unified" || one === (twins.find(({ last }) => last !== null) ?? twins[0]);
    });
  }

  return { coverage, closesOf, walletsOf };
}
