/** Keeps the table of episodes in step with the snapshots of positions, in the transaction that has locked their account. */
import { getTableColumns } from "drizzle-orm";
import { advanceEpisodes, type Episode, type OpenEpisodes, withoutDamage } from "../../../positions/episodes.ts";
import { episode as episodeTable } from "../../../schema/derived/episode-table.ts";
import type { ScopeState } from "../../../schema/storage-layout.ts";
import { rowKey } from "../../cells.ts";
import type { Connection } from "../../connection.ts";
import { keepOddDigits, oddDigitsIn, oddDigitsOf, tableOf, unnested } from "../rows.ts";

const columns = Object.entries(getTableColumns(episodeTable)) as [keyof Episode, { name: string }][];
const names = columns.map(([, column]) => column.name);

/** The episodes that the snapshots of a run change; `write` stores them. */
export class EpisodeRows {
  readonly #connection: Connection;
  readonly #changed: Episode[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Applies a good snapshot with the items `state` before it becomes the last of its scope. Returns the episodes open after it. */
  async advance(
    scopeId: number,
    before: OpenEpisodes | null,
    taken: { id: number; takenAt: number },
    state: ScopeState,
  ): Promise<OpenEpisodes> {
    const { changed, open } = advanceEpisodes(before ?? (await loadOpen(this.#connection, scopeId)), taken, state);
    this.#changed.push(...changed);
    return open;
  }

  /** Stores the changed episodes. */
  async write(): Promise<void> {
    if (this.#changed.length === 0) return;
    const table = tableOf(episodeTable);
    const rows = this.#changed.map((one) => columns.map(([name]) => one[name]));
    const { values, list } = unnested(table.columns, rows);
    await this.#connection.run(
      `insert into episode (${names.join(", ")}) select * from unnest(${list})
       on conflict (item_id, since) do update set ${names.map((name) => `${name} = excluded.${name}`).join(", ")}`,
      values,
    );
    await this.#connection.run("delete from odd_digits where table_name = 'episode' and row_key = any($1)", [
      this.#changed.map(({ itemId, since }) => rowKey([itemId, since])),
    ]);
    await keepOddDigits(this.#connection, oddDigitsOf(table, names, rows));
  }
}

async function loadOpen(connection: Connection, scopeId: number): Promise<OpenEpisodes> {
  const [latest] = await connection.query<{ takenAt: number }>(
    `select n.taken_at as "takenAt" from scope p join snapshot n on n.id = p.latest where p.id = $1`,
    [scopeId],
  );
  const found = await connection.query<Episode>(
    `select ${columns.map(([name, column]) => `l.${column.name} as "${name}"`).join(", ")}
     from episode l join positions_item i on i.id = l.item_id where i.scope_id = $1 and l.closed_before is null`,
    [scopeId],
  );
  const keyOf = ({ itemId, since }: Episode) => rowKey([itemId, since]);
  const original = await oddDigitsIn(
    connection,
    found.map((one) => ["episode", keyOf(one)] as const),
  );
  const restored = found.map(
    (one) =>
      Object.fromEntries(
        columns.map(([name, column]) => {
          const cell = one[name];
          return [name, typeof cell === "string" ? original("episode", keyOf(one), column.name, cell) : cell];
        }),
      ) as Episode,
  );
  return {
    takenAt: latest?.takenAt ?? null,
    episodes: new Map(restored.map((one) => [one.itemId, withoutDamage(one)])),
  };
}
