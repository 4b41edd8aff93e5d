/** What is asked of the simulated exchange, and ways to make it fail. */
import type { DatasetName, Scope } from "../../../src/core/domain.ts";
import { datasetNamed } from "../../../src/datasets/index.ts";
import type { Fault, Simulator } from "../../../src/simulator/simulator.ts";
import { endpointIn, modelledNames, pathOf, scopesOf } from "../../support/declared.ts";

export const accounts = ["main", "hedge"] as const;

export type Api = "v2" | "v3";

/** Scopes of one dataset that could not be read, and the code that is told of it. */
export interface Mishap {
  account: string;
  dataset: DatasetName;
  scopes: readonly Scope[];
  code: string;
}

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

/** Positions twice as often as the others. */
const targets = modelledNames.flatMap((name) => (name === "positions" ? [name, name] : [name]));

/** Makes the next answers about a dataset fail, of one product type or of all, and says what cannot be read then. */
export function makeTrouble(
  exchange: Simulator,
  apis: Record<(typeof accounts)[number], Api>,
  random: (below: number) => number,
  wanted?: DatasetName,
): Mishap[] {
  const pick = <One>(all: readonly One[]): One => all[random(all.length)] as One;
  const dataset = wanted ?? pick(targets);
  const account = pick(accounts);
  const isPublic = datasetNamed(dataset).public === true;
  const api = isPublic ? "v2" : apis[account];
  const all = scopesOf(dataset, api);
  const scopes = random(4) === 0 ? all : [all[random(all.length)] ?? null];
  const { fault, code, attempts } = random(30) === 0 ? noAnswer : pick([refused, refused, garbled]);
  const path = pathOf(dataset, api);
  if (path === undefined) return [];
  /** Those that ask the same address: a unified account has one wallet. */
  const told = modelledNames.filter((name) => pathOf(name, api) === path);
  for (const scope of scopes) {
    exchange.misbehave({
      ...fault,
      path,
      params: endpointIn(dataset, api)?.params(scope) ?? {},
      ...(isPublic ? {} : { account }),
      times: attempts * told.length,
    });
  }
  const others = told
    .filter((name) => name !== dataset)
    .map((name) => ({ dataset: name, scopes: scopesOf(name, api) }));
  return [{ dataset, scopes }, ...others].map((one) => ({ account: isPublic ? "public" : account, code, ...one }));
}
