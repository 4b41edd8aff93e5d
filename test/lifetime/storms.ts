/** Storms: makes the exchange fail requests of one slot, and states the expected outcome of its runs. */

import { snapshotDatasetNamed } from "../../src/datasets/index.ts";
import type { Random } from "../../src/simulator/market/random.ts";
import type { Fault, Simulator } from "../../src/simulator/simulator.ts";
import type { Api } from "../scenarios/month/failures.ts";
import { modelledNames, pathOf, scopesOf } from "../support/declared.ts";
import { accounts, type Outcome, type Series } from "./expected.ts";

const kinds = [
  { fault: { status: 429 }, code: "429" },
  { fault: { status: 429, headers: { "retry-after": "2" } }, code: "429" },
  { fault: { status: 503 }, code: "503" },
  { fault: { status: 502, body: "<html>502 Bad Gateway</html>" }, code: "upstream" },
  { fault: { status: 500, code: "40725" }, code: "40725" },
  { fault: { body: "{" }, code: "bad_body" },
  { fault: { reset: true }, code: "network" },
] satisfies { fault: Fault; code: string }[];

export interface Storm {
  /** Returns the expected outcome of a run of this slot; null for a normal one. */
  outcomeOf(series: Series): Outcome | null;
}

export const calm: Storm = { outcomeOf: () => null };

/** Fails everything, one dataset of one account, or one product type of it; always, or once or twice. */
export function startStorm(exchange: Simulator, apis: Record<string, Api>, chance: Random): Storm {
  const { fault, code } = chance.pick(kinds);
  const sort = chance.integer(0, 9);
  if (sort < 2) {
    exchange.injectFault({ ...fault, times: Infinity });
    // After several refusals the client pauses, so that the deadline may end a run first.
    return {
      outcomeOf: () => ({ state: "failed", causes: [code, "deadline", `${code}, deadline`, `deadline, ${code}`] }),
    };
  }
  const dataset = chance.pick(modelledNames);
  const account = snapshotDatasetNamed(dataset).public ? "public" : chance.pick(accounts);
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
    exchange.injectFault({ ...aimed, times: chance.integer(1, 2) });
    return calm;
  }
  exchange.injectFault({ ...aimed, times: Infinity });
  const outcome: Outcome = { state: scoped ? "partial" : "failed", causes: [code] };
  return { outcomeOf: (one) => (isMeant(one) ? outcome : null) };
}

/** Returns the number of responses that a run waits for. */
export const responsesTo = ({ dataset }: Series, api: Api): number => scopesOf(dataset, api).length;
export type { Api } from "../scenarios/month/failures.ts";
