/** Makes the simulated exchange respond with the fixture for every dataset that it does not model. */
import { snakeCase } from "../../src/core/columns.ts";
import { type Endpoint, isModelled, type TrueRow } from "../../src/simulator/simulator.ts";
import { type Fixture, fixtures } from "../datasets/fixtures.ts";
import { productTypes } from "./declared.ts";

export const fixtureEndpoints: readonly Endpoint[] = fixtures.flatMap((fixture) => {
  const { endpoint } = fixture.endpoint;
  if (!endpoint || isModelled(endpoint.path)) return [];
  const { version, path, perSecond, signed } = endpoint;
  return {
    version,
    path,
    perSecond,
    signed,
    respond: (_view: unknown, query: Record<string, string>) => ({
      data: fixture.data,
      truths: truthsOf(fixture, query),
    }),
  };
});

/** Returns the rows of the fixture under the column names of the view, for the requested scope. */
function truthsOf({ dataset, endpoint, items }: Fixture, query: Record<string, string>) {
  const scopes = endpoint
    .scopes(productTypes)
    .filter((scope) => Object.entries(endpoint.params(scope)).every(([name, value]) => query[name] === value));
  return scopes.map((scope) => ({
    dataset: dataset.name,
    scope,
    rows: items.map(({ row }): TrueRow => {
      const cells = Object.entries(row).map(([name, value]) => [snakeCase(name), value]);
      return Object.fromEntries(scope === null ? cells : [["product_type", scope], ...cells]);
    }),
  }));
}
