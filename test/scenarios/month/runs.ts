/** Computes the expected run ledger from what was done to the program and to the exchange. */
import type { DatasetName, Scope } from "../../../src/core/domain.ts";
import { modelled, scopesOf } from "../../support/declared.ts";
import { accounts, type FailedScopes } from "./failures.ts";
import { apiAt, type DueSlot, type SimulatedMonth } from "./simulate.ts";
import { iso } from "./truth.ts";

export interface TrueRun {
  account: string;
  dataset: DatasetName;
  slot: number;
  state: "ok" | "partial" | "failed" | "missed";
  cause: string | null;
}

export interface TrueGap {
  account: string;
  dataset: DatasetName;
  product_type: Scope;
  from_at: string;
  to_at: string;
  slots: number;
  cause: string;
}

/** All series, in the program's order. */
export const series: readonly { account: string; dataset: DatasetName }[] = [
  ...accounts.flatMap((account) =>
    modelled.filter((one) => !one.public).map(({ name }) => ({ account, dataset: name })),
  ),
  ...modelled.filter((one) => one.public).map(({ name }) => ({ account: "public", dataset: name })),
];

const mishapOf = ({ mishaps }: DueSlot, account: string, dataset: DatasetName): FailedScopes | undefined =>
  mishaps.find((one) => one.account === account && one.dataset === dataset);

export const runsOf = ({ slots }: SimulatedMonth, account: string, dataset: DatasetName): TrueRun[] =>
  slots.map((one): TrueRun => {
    const { slot, missed, lateMs } = one;
    if (missed !== null) return { account, dataset, slot, state: "missed", cause: missed };
    const mishap = mishapOf(one, account, dataset);
    if (!mishap) return { account, dataset, slot, state: "ok", cause: lateMs > 1000 ? "late" : null };
    const isAll = mishap.scopes.length === scopesOf(dataset, apiAt(account, slot)).length;
    return { account, dataset, slot, state: isAll ? "failed" : "partial", cause: mishap.code };
  });

/** Returns every expected response, with the error code of those that failed. */
export function answersOf(month: SimulatedMonth, account: string, dataset: DatasetName) {
  return month.slots
    .filter(({ missed }) => missed === null)
    .flatMap((one) => {
      const mishap = mishapOf(one, account, dataset);
      return scopesOf(dataset, apiAt(account, one.slot)).map((scope) => ({
        slot: one.slot,
        scope,
        code: mishap?.scopes.includes(scope) ? mishap.code : null,
      }));
    });
}

/** Returns the gaps of a series and of single product types: neighbouring slots without a good response, with the same cause. */
export function gapsOf(month: SimulatedMonth, account: string, dataset: DatasetName): TrueGap[] {
  const runs = runsOf(month, account, dataset);
  const ofSeries = runs.map(({ state, cause }) => (state === "ok" || state === "partial" ? null : cause));
  const answers = answersOf(month, account, dataset);
  const types = [...new Set(answers.map(({ scope }) => scope))].filter((scope) => scope !== null);
  const ofTypes = types.map((scope) => ({
    scope,
    causes: runs.map(({ slot, state }) => {
      const isPart = state === "partial";
      return isPart ? (answers.find((one) => one.slot === slot && one.scope === scope)?.code ?? null) : null;
    }),
  }));
  return [{ scope: null, causes: ofSeries }, ...ofTypes].flatMap(({ scope, causes }) => {
    const gaps: TrueGap[] = [];
    for (const [at, cause] of causes.entries()) {
      if (cause === null) continue;
      const slot = iso(runs[at]?.slot ?? 0);
      const last = gaps.at(-1);
      if (last && at > 0 && causes[at - 1] === cause) {
        last.to_at = slot;
        last.slots += 1;
      } else gaps.push({ account, dataset, product_type: scope, from_at: slot, to_at: slot, slots: 1, cause });
    }
    return gaps;
  });
}
