/** Builds the SQL that finds the rows in force at a snapshot. */
import type { StorageLayout } from "./storage-layout.ts";

/**
 * Returns joins that give each item `i` of a scope its rows in force at snapshot `n`: `s` the steady row, `m` the moving row and
 * `x` the unknown fields. Each is one primary key lookup: `cross join` stops SQLite from scanning all of `s` first.
 */
export function asOfJoins({ prefix, moving }: StorageLayout): string {
  const join = (kind: string, part: string, alias: string) =>
    `${kind} ${prefix}_${part} ${alias} on ${alias}.item_id = i.id and ${alias}.since =
    (select max(since) from ${prefix}_${part} where item_id = i.id and since <= n.id)`;
  const parts = [`join ${prefix}_item i on i.scope_id = n.scope_id`, join("cross join", "steady", "s")];
  if (moving.length > 0) parts.push(join("left join", "moving", "m"));
  parts.push(join("left join", "extra", "x"));
  return parts.join("\n  ");
}
