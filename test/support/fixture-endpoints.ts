/** Makes the simulated exchange respond with the fixtures for every dataset that it does not model. */
import { snakeCase } from "../../src/core/columns.ts";
import { type Endpoint, isModelled, type TrueRow } from "../../src/simulator/simulator.ts";
import { type Fixture, fixtures, window } from "../datasets/fixtures.ts";
import { productTypes } from "./declared.ts";

const pathOf = ({ endpoint: { endpoint } }: Fixture): string => endpoint?.path ?? "";

const unmodelled = fixtures.filter((fixture) => pathOf(fixture) !== "" && !isModelled(pathOf(fixture)));

export const fixtureEndpoints: readonly Endpoint[] = [...new Set(unmodelled.map(pathOf))].flatMap((path) => {
  const ofPath = unmodelled.filter((fixture) => pathOf(fixture) === path);
  const [first] = ofPath;
  if (!first?.endpoint.endpoint) return [];
  const { version, perSecond, signed } = first.endpoint.endpoint;
  const respond = (_view: unknown, query: Record<string, string>) => {
    const fixture = ofPath.find((one) => isRequested(one, query));
    return fixture
      ? { data: fixture.data, truths: truthsOf(fixture, query) }
      : { data: emptied(first.data), truths: [] };
  };
  return { version, path, perSecond, signed, respond };
});

/** Returns whether a query selects the scope of a fixture, in whatever window of time. */
const isRequested = ({ endpoint, scope }: Fixture, query: Record<string, string>): boolean =>
  Object.entries(endpoint.params(scope)).every(
    ([name, value]) => query[name] === value || [String(window.from), String(window.to)].includes(value),
  );

/** Returns a response with the same lists, all of them empty. */
const emptied = (data: unknown): unknown =>
  Array.isArray(data)
    ? []
    : Object.fromEntries(
        Object.entries(data as object).map(([name, value]) => [name, Array.isArray(value) ? [] : value]),
      );

/** Returns the rows of the fixture under the column names of the view, for the requested scope. Records are none of a moment. */
function truthsOf({ dataset, endpoint, items }: Fixture, query: Record<string, string>) {
  if (dataset.mode === "incremental") return [];
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
