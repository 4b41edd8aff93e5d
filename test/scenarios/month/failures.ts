/** Ways to make the simulated exchange fail, with the expected failures. */
import type { DatasetName, Scope } from "../../../src/core/domain.ts";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import type { Fault, Simulator } from "../../../src/simulator/simulator.ts";
import { endpointIn, modelledNames, pathOf, scopesOf } from "../../support/declared.ts";

export const accounts = ["main", "hedge"] as const;

export type Api = "v2" | "v3";

/** The scopes of one dataset that could not be read, with the error code. */
export interface FailedScopes {
  account: string;
  dataset: DatasetName;
  scopes: readonly Scope[];
  code: string;
}

interface Kind {
  fault: Fault;
  code: string;
  /** The number of attempts before the failure counts. */
  attempts: number;
}

const refused: Kind = { fault: { code: "40014", message: "Incorrect permissions" }, code: "40014", attempts: 1 };
const garbled: Kind = {
  fault: { edit: (envelope) => ({ ...(envelope as object), data: "much" }) },
  code: "shape",
  attempts: 1,
};
const noAnswer: Kind = { fault: { body: "<html>502 Bad Gateway</html>" }, code: "bad_body", attempts: 3 };

/** Positions fail twice as often as the others. */
const targets = modelledNames.flatMap((name) => (name === "positions" ? [name, name] : [name]));

/** Makes the next responses for a dataset fail, of one product type or all; returns the scopes that cannot be read. */
export function failNext(
  exchange: Simulator,
  apis: Record<(typeof accounts)[number], Api>,
  random: (below: number) => number,
  wanted?: DatasetName,
): FailedScopes[] {
  const pick = <One>(all: readonly One[]): One => all[random(all.length)] as One;
  const dataset = wanted ?? pick(targets);
  const account = pick(accounts);
  const isPublic = snapshotDatasetNamed(dataset).public === true;
  const api = isPublic ? "v2" : apis[account];
  const all = scopesOf(dataset, api);
  const scopes = random(4) === 0 ? all : [all[random(all.length)] ?? null];
  const { fault, code, attempts } = random(30) === 0 ? noAnswer : pick([refused, refused, garbled]);
  const path = pathOf(dataset, api);
  if (path === undefined) return [];
  /** The datasets that use the same endpoint: a unified account has one wallet. */
  const affected = modelledNames.filter((name) => pathOf(name, api) === path);
  for (const scope of scopes) {
    exchange.injectFault({
      ...fault,
      path,
      params: endpointIn(dataset, api)?.params(scope) ?? {},
      ...(isPublic ? {} : { account }),
      times: attempts * affected.length,
    });
  }
  const others = affected
    .filter((name) => name !== dataset)
    .map((name) => ({ dataset: name, scopes: scopesOf(name, api) }));
  return [{ dataset, scopes }, ...others].map((one) => ({ account: isPublic ? "public" : account, code, ...one }));
}
