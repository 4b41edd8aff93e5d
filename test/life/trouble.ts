/** What is asked of the simulated exchange, and ways to make it fail. */
import type { DatasetName, ProductType, Scope } from "../../src/core/domain.ts";
import type { Fault, Simulator } from "../../src/simulator/simulator.ts";

export const accounts = ["main", "hedge"] as const;
export const productTypes = ["umcbl", "dmcbl", "cmcbl", "sumcbl"] as const satisfies ProductType[];

export type Api = "v2" | "v3";

/** Scopes of one dataset that could not be read, and the code that is told of it. */
export interface Mishap {
  account: string;
  dataset: DatasetName;
  scopes: readonly Scope[];
  code: string;
}

/** What is asked of an account that speaks this generation. */
export function scopesOf(dataset: DatasetName, api: Api): readonly Scope[] {
  if (dataset === "positions") return api === "v3" ? ["umcbl", "dmcbl", "cmcbl"] : productTypes;
  if (dataset === "mix-accounts") return api === "v3" ? ["unified"] : productTypes;
  return [null];
}

const categories: Partial<Record<string, string>> = {
  umcbl: "USDT-FUTURES",
  dmcbl: "COIN-FUTURES",
  cmcbl: "USDC-FUTURES",
  sumcbl: "SUSDT-FUTURES",
};

const wallet = "/api/v3/account/assets";
export const paths: Record<DatasetName, Record<Api, string>> = {
  "spot-assets": { v2: "/api/v2/spot/account/assets", v3: wallet },
  "funding-assets": { v2: "/api/v2/account/funding-assets", v3: "/api/v3/account/funding-assets" },
  "mix-accounts": { v2: "/api/v2/mix/account/accounts", v3: wallet },
  positions: { v2: "/api/v2/mix/position/all-position", v3: "/api/v3/position/current-position" },
  prices: { v2: "/api/v2/spot/market/tickers", v3: "/api/v3/market/tickers" },
  equity: { v2: "/api/v2/account/all-account-balance", v3: wallet },
};

/** The datasets that are told by the one wallet of a unified account; each asks for it. */
const ofWallet = ["spot-assets", "mix-accounts", "equity"] as const;

interface Kind {
  fault: Fault;
  code: string;
  /** How often it is asked before it is believed. */
  attempts: number;
}

const refused: Kind = { fault: { code: "40014", message: "Incorrect permissions" }, code: "40014", attempts: 1 };
const garbled: Kind = {
  fault: { edit: (envelope) => ({ ...(envelope as object), data: "much" }) },
  code: "shape",
  attempts: 1,
};
const noAnswer: Kind = { fault: { body: "<html>502 Bad Gateway</html>" }, code: "bad_body", attempts: 3 };

const targets = [
  "spot-assets",
  "funding-assets",
  "mix-accounts",
  "positions",
  "positions",
  "prices",
  "equity",
] as const;

/** Makes the next answers about a dataset fail, of one product type or of all, and says what cannot be read then. */
export function makeTrouble(
  exchange: Simulator,
  apis: Record<(typeof accounts)[number], Api>,
  random: (below: number) => number,
  wanted?: DatasetName,
): Mishap[] {
  const pick = <One>(all: readonly [One, ...One[]]): One => all[random(all.length)] ?? all[0];
  const dataset = wanted ?? pick(targets);
  const account = pick(accounts);
  const isPublic = dataset === "prices";
  const api = isPublic ? "v2" : apis[account];
  const all = scopesOf(dataset, api);
  const scopes = random(4) === 0 ? all : [all[random(all.length)] ?? null];
  const { fault, code, attempts } = random(30) === 0 ? noAnswer : pick([refused, refused, garbled]);
  const path = paths[dataset][api];
  for (const scope of scopes) {
    const category = categories[scope ?? ""];
    exchange.misbehave({
      ...fault,
      path,
      ...(category ? { params: { [api === "v3" ? "category" : "productType"]: category } } : {}),
      ...(isPublic ? {} : { account }),
      times: attempts * (path === wallet ? ofWallet.length : 1),
    });
  }
  if (path === wallet) return ofWallet.map((one) => ({ account, dataset: one, scopes: scopesOf(one, api), code }));
  return [{ account: isPublic ? "public" : account, dataset, scopes, code }];
}
