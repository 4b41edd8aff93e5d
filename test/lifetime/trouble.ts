/** Storms: what the exchange does to the questions of one slot, and what must become of the runs that asked them. */

import { datasetNamed } from "../../src/datasets/index.ts";
import type { Random } from "../../src/simulator/market/random.ts";
import type { Fault, Simulator } from "../../src/simulator/simulator.ts";
import type { Api } from "../scenarios/life/trouble.ts";
import { modelledNames, pathOf, scopesOf } from "../support/declared.ts";
import { accounts, type Fate, type Series } from "./expected.ts";

const kinds = [
  { fault: { status: 429 }, code: "429" },
  { fault: { status: 429, headers: { "retry-after": "2" } }, code: "429" },
  { fault: { status: 503 }, code: "503" },
  { fault: { status: 502, body: "<html>502 Bad Gateway</html>" }, code: "upstream" },
  { fault: { status: 500, code: "40725" }, code: "40725" },
  { fault: { body: "{" }, code: "bad_body" },
  { fault: { reset: true }, code: "network" },
] satisfies { fault: Fault; code: string }[];

export interface Trouble {
  /** What becomes of a run of this slot; null: nothing out of the ordinary. */
  fateOf(series: Series): Fate | null;
}

export const calm: Trouble = { fateOf: () => null };

/** Everything is refused, or one dataset of one account, or one product type of it; for good, or once or twice. */
export function makeTrouble(exchange: Simulator, apis: Record<string, Api>, chance: Random): Trouble {
  const { fault, code } = chance.pick(kinds);
  const sort = chance.integer(0, 9);
  if (sort < 2) {
    exchange.misbehave({ ...fault, times: Infinity });
    // Whoever is refused from three sides stops asking; then it is the deadline that ends a run.
    return {
      fateOf: () => ({ state: "failed", causes: [code, "deadline", `${code}, deadline`, `deadline, ${code}`] }),
    };
  }
  const dataset = chance.pick(modelledNames);
  const account = datasetNamed(dataset).public ? "public" : chance.pick(accounts);
  const api = apis[account] ?? "v2";
  const path = pathOf(dataset, api);
  if (path === undefined) return calm;
  const isMeant = (one: Series) => one.account === account && pathOf(one.dataset, api) === path;
  const scoped = api === "v2" && scopesOf(dataset, api).length > 1 && sort < 5;
  const aimed: Fault = {
    ...fault,
    path,
    ...(account === "public" ? {} : { account }),
    ...(scoped ? { params: { productType: "USDT-FUTURES" } } : {}),
  };
  if (sort > 7) {
    exchange.misbehave({ ...aimed, times: chance.integer(1, 2) });
    return calm;
  }
  exchange.misbehave({ ...aimed, times: Infinity });
  const fate: Fate = { state: scoped ? "partial" : "failed", causes: [code] };
  return { fateOf: (one) => (isMeant(one) ? fate : null) };
}

/** How many answers a run waits for. */
export const answersTo = ({ dataset }: Series, api: Api): number => scopesOf(dataset, api).length;
export type { Api } from "../scenarios/life/trouble.ts";
