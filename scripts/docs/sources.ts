/**
 * Determines which field of the exchange fills which column: changes one field of a recorded response at a time and compares the rows.
 * So the result cannot differ from the mappers.
 */
import { isLosslessNumber, parse, stringify } from "lossless-json";
import type { ApiVersion } from "../../src/core/domain.ts";
import type { AnyDataset } from "../../src/datasets/incremental.ts";
import { fixtures } from "../../test/datasets/fixtures.ts";

type Path = readonly (string | number)[];

/** Yields the path of every scalar value of a response. */
function* leavesOf(value: unknown, path: Path = []): Generator<Path> {
  if (typeof value !== "object" || value === null || isLosslessNumber(value)) yield path;
  else
    for (const [key, inside] of Object.entries(value))
      yield* leavesOf(inside, [...path, Array.isArray(value) ? Number(key) : key]);
}

/** Returns the name of a field within its item: `total` for `list[0].total`. */
function fieldOf(path: Path): string {
  const index = path.findIndex((step) => typeof step === "number");
  return String(path[index + 1]);
}

/** Returns a copy with another value at a path. */
function replaced(value: unknown, path: Path, other: string): unknown {
  const copy = parse(stringify(value) ?? "null") as Record<string, unknown>;
  const parent = path.slice(0, -1).reduce((at, step) => at[step] as Record<string, unknown>, copy);
  parent[String(path.at(-1))] = other;
  return copy;
}

/** Values to try until one is accepted and changes a row: an amount, a time, words. */
const others = ["7.25", "1790000004242", "short", "isolated", "one_way_mode", "other"];

/** Returns the fields that fill each column of a dataset, by API version; omits columns that no field fills. */
export function sourcesOf(dataset: AnyDataset): Map<string, Map<ApiVersion, string[]>> {
  const sources = new Map<string, Map<ApiVersion, string[]>>();
  for (const fixture of fixtures.filter((one) => one.dataset.name === dataset.name)) {
    const rowsOf = (data: unknown) => fixture.endpoint.items(data, fixture.context).map(({ row }) => row);
    const before = rowsOf(fixture.data);
    for (const path of leavesOf(fixture.data)) {
      for (const other of others) {
        const columns = changedBy(() => rowsOf(replaced(fixture.data, path, other)), before);
        for (const column of columns) {
          const versions = sources.get(column) ?? new Map<ApiVersion, string[]>();
          const fields = new Set([...(versions.get(fixture.version) ?? []), fieldOf(path)]);
          sources.set(column, versions.set(fixture.version, [...fields]));
        }
        if (columns.length > 0) break;
      }
    }
  }
  return sources;
}

/** Returns the columns that differ; none if the response is rejected or has another number of rows. */
function changedBy(rowsAfter: () => Record<string, unknown>[], before: Record<string, unknown>[]): string[] {
  let after: Record<string, unknown>[];
  try {
    after = rowsAfter();
  } catch {
    return [];
  }
  if (after.length !== before.length) return [];
  const changed = before.flatMap((row, at) => Object.keys(row).filter((name) => row[name] !== after[at]?.[name]));
  return [...new Set(changed)];
}
