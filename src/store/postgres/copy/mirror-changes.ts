/**
 * Copies what changed in a PostgreSQL history since the last pass into its mirror. What is new follows from the chains: the runs of new
 * links, the later snapshots of their accounts, and the rows that begin with those. Small tables are compared as a whole.
 */
import type { AnyDataset } from "../../../datasets/incremental.ts";
import { parseNote } from "../../chain/chain.ts";
import type { Sqlite } from "../../files/connections.ts";
import type { Connection, Parameter } from "../connection.ts";
import { mirrorLedger } from "../ledger/mirror-ledger.ts";
import type { CopiedTable } from "../tables.ts";
import type { ChainPosition } from "./mirror-position.ts";
import { type Tables, tableOf, wholeTables } from "./pass.ts";
import type { RowCopier, Selection } from "./rows.ts";

/** One pass: both ends, and the tables by name. */
export interface Pass extends Tables {
  source: Connection;
  sqlite: Sqlite;
  copier: RowCopier;
}

/** A chain with new links; `link` and `snapshot` were the last ones copied. */
type ChangedChain = Pick<ChainPosition, "chain" | "link" | "snapshot">;

/** A scope whose rows after the snapshot `since` are copied. */
interface ChangedScope {
  id: number;
  chain: number;
  since: number;
  /** Its rows after `since` were rewritten: those in the mirror are deleted first. */
  isRewritten: boolean;
}

/** Copies the changes of these chains, and what changes without a link. Returns the last snapshot of each chain. */
export async function copyChanges(pass: Pass, chains: readonly ChangedChain[]): Promise<Map<number, number>> {
  for (const name of wholeTables) await pass.copier.copyWhole(tableOf(pass, name));
  const links = await copyLinks(pass, chains);
  const runs = await copyRuns(pass, links.runs);
  const scopes = await changedScopes(pass, chains);
  await rewriteScopes(pass, scopes, links);
  const last = await copySnapshots(pass, [...scopes.values()]);
  for (const dataset of pass.datasets) await copyDataset(pass, dataset, [...scopes.values()]);
  await copyGaps(pass, runs);
  await copyRanges(pass, links);
  await mirrorLedger(pass);
  return last;
}

/** What new links say. */
interface NewLinks {
  /** The runs that ended or changed. */
  runs: number[];
  /** Corrected snapshots. */
  corrected: number[];
  /** Pruned days as epoch ms of their midnights, with the dataset. */
  days: { dataset: string; day: number }[];
}

async function copyLinks(pass: Pass, chains: readonly ChangedChain[]): Promise<NewLinks> {
  const table = tableOf(pass, "link");
  const [runAt = 0, noteAt = 0] = placesOf(table, ["run_id", "note"]);
  const found: NewLinks = { runs: [], corrected: [], days: [] };
  const links = chains.map(({ link }) => link);
  // The first one of all shows PostgreSQL how few links are new.
  const selection = {
    from: "unnest($1::bigint[], $2::bigint[]) c(chain, link) join link r on r.chain = c.chain and r.id > c.link and r.id > $3",
    values: [chains.map(({ chain }) => chain), links, Math.min(...links, Number.MAX_SAFE_INTEGER)],
  };
  await pass.copier.copy(table, selection, (row) => {
    if (row[runAt] !== null) found.runs.push(Number(row[runAt]));
    const note = row[noteAt] === null ? null : parseNote(String(row[noteAt]));
    if (note?.[0] === "corrected") found.corrected.push(note[1]);
    if (note?.[0] === "pruned") found.days.push({ dataset: note[2], day: Date.parse(note[3]) });
  });
  return found;
}

/** Copies runs, and those that are running. Returns the first changed slot of each series. */
async function copyRuns(pass: Pass, ids: readonly number[]): Promise<Map<number, number>> {
  const table = tableOf(pass, "run");
  const [seriesAt = 0, slotAt = 0] = placesOf(table, ["series_id", "slot"]);
  const first = new Map<number, number>();
  for (const [condition, values] of [
    ["r.state = 'running'", []],
    ["r.id = any($1::bigint[])", [ids]],
  ] as const)
    await pass.copier.copy(table, { from: `run r where ${condition}`, values }, (row) => {
      const [series, slot] = [Number(row[seriesAt]), Number(row[slotAt])];
      first.set(series, Math.min(first.get(series) ?? slot, slot));
    });
  return first;
}

const placesOf = ({ columns }: CopiedTable, names: readonly string[]): number[] =>
  names.map((name) => columns.findIndex((column) => column.name === name));

/** Returns the scopes of the accounts of changed chains, by id. */
async function changedScopes({ source }: Pass, chains: readonly ChangedChain[]): Promise<Map<number, ChangedScope>> {
  const found = await source.query<Pick<ChangedScope, "id" | "chain" | "since">>(
    `select p.id, c.chain, c.snapshot as since
     from unnest($1::bigint[], $2::bigint[]) c(chain, snapshot), scope p join series e on e.id = p.series_id
     where c.chain in (0, e.account_id)`,
    [chains.map(({ chain }) => chain), chains.map(({ snapshot }) => snapshot)],
  );
  return new Map(found.map((one) => [one.id, { ...one, isRewritten: false }]));
}

/** Finds scopes of which earlier snapshots were corrected or pruned, and deletes in the mirror what is copied again. */
async function rewriteScopes(pass: Pass, scopes: Map<number, ChangedScope>, { corrected }: NewLinks): Promise<void> {
  const { sqlite, source, datasets } = pass;
  const rewrite = (id: number, snapshot: number) => {
    const known = scopes.get(id) ?? { id, chain: 0, since: snapshot };
    scopes.set(id, { ...known, since: Math.min(known.since, snapshot - 1), isRewritten: true });
  };
  const ofCorrected = await source.cells("select scope_id, id from snapshot where id = any($1::bigint[])", [corrected]);
  for (const [scope, id] of ofCorrected) rewrite(Number(scope), Number(id));
  for (const [scope, id] of await copyPruned(pass)) rewrite(scope, id);
  for (const { id, since } of [...scopes.values()].filter(({ isRewritten }) => isRewritten)) {
    for (const dataset of datasets) forgetScope(pass, dataset, id, since);
    sqlite.prepare("delete from snapshot where scope_id = ? and id > ?").run(id, since);
  }
}

/** Copies the digests of pruned snapshots. Returns those that the mirror still has as snapshots, with their scopes. */
async function copyPruned({ source, sqlite, copier, ...pass }: Pass): Promise<[scope: number, id: number][]> {
  const [[there] = [0]] = await source.cells("select count(*) from pruned");
  const here = sqlite.prepare<[], number>("select count(*) from pruned").pluck().get();
  if (there === here) return [];
  await copier.copy(tableOf(pass, "pruned"));
  return sqlite
    .prepare("select scope_id, min(id) from snapshot where id in (select id from pruned) group by scope_id")
    .raw()
    .all() as [number, number][];
}

/** Deletes the rows of a scope in the tables of a dataset that begin after the snapshot `since`, and all of its episodes. */
function forgetScope({ tables, sqlite }: Pass, dataset: AnyDataset, scope: number, since: number): void {
  const prefix = dataset.name.replaceAll("-", "_");
  const items = `(select id from ${prefix}_item where scope_id = @scope)`;
  const run = (sql: string) => sqlite.prepare(sql).run({ scope, since });
  for (const table of versionTables(prefix).filter((name) => tables.has(name)))
    run(`delete from ${table} where item_id in ${items} and since > @since`);
  if (dataset.mode === "incremental") {
    run(`delete from ${prefix}_record where scope_id = @scope and snapshot_id > @since`);
    run("delete from reading where snapshot_id in (select id from snapshot where scope_id = @scope and id > @since)");
    return;
  }
  if (dataset.episodes) run(`delete from episode where item_id in ${items}`);
  // Those that began there: they have no row left.
  run(`delete from ${prefix}_item where scope_id = @scope
    and not exists (select 1 from ${prefix}_steady where item_id = ${prefix}_item.id)`);
}

const versionTables = (prefix: string): string[] => ["steady", "moving", "extra"].map((part) => `${prefix}_${part}`);

/** Scopes as a table `s (id, since)`: its parameters, and its place in `from`. */
const scopeValues = (scopes: readonly ChangedScope[]): Parameter[] => [
  scopes.map(({ id }) => id),
  scopes.map(({ since }) => since),
];
const scopeTable = "unnest($1::bigint[], $2::bigint[]) s(id, since)";

/** Copies later snapshots. Returns the last of each chain. */
async function copySnapshots(pass: Pass, scopes: readonly ChangedScope[]): Promise<Map<number, number>> {
  const chainOf = new Map(scopes.map(({ id, chain }) => [id, chain]));
  const last = new Map<number, number>();
  const table = tableOf(pass, "snapshot");
  const [idAt = 0, scopeAt = 0] = placesOf(table, ["id", "scope_id"]);
  await pass.copier.copy(table, laterOf("snapshot", scopes), (row) => {
    const chain = chainOf.get(Number(row[scopeAt])) ?? 0;
    last.set(chain, Math.max(last.get(chain) ?? 0, Number(row[idAt])));
  });
  return last;
}

/** Selects rows that came with later snapshots. The first one of all bounds the search, in place of an index by scope. */
function laterOf(table: string, scopes: readonly ChangedScope[]): Selection {
  const places: Record<string, [id: string, scope: string]> = {
    snapshot: ["r.id", "r.scope_id"],
    reading: ["r.snapshot_id", "(select scope_id from snapshot where id = r.snapshot_id)"],
  };
  const [id, scope] = places[table] ?? ["r.snapshot_id", "r.scope_id"];
  const first = Math.min(...scopes.map(({ since }) => since), Number.MAX_SAFE_INTEGER);
  return {
    from: `${table} r join ${scopeTable} on s.id = ${scope} and ${id} > s.since where ${id} > $3`,
    values: [...scopeValues(scopes), first],
  };
}

async function copyDataset(pass: Pass, dataset: AnyDataset, scopes: readonly ChangedScope[]): Promise<void> {
  const { copier, tables } = pass;
  const prefix = dataset.name.replaceAll("-", "_");
  const values = scopeValues(scopes);
  if (dataset.mode === "incremental") {
    await copier.copy(tableOf(pass, "reading"), laterOf("reading", scopes));
    return copier.copy(tableOf(pass, `${prefix}_record`), laterOf(`${prefix}_record`, scopes));
  }
  // `offset 0` makes PostgreSQL search each item in the primary key instead of reading the table.
  const later = (table: string, of: string, condition = "v.since > s.since") =>
    `lateral (select v.* from ${table} v where v.item_id = ${of} and ${condition} offset 0)`;
  const begun = `exists (select 1 from ${later(`${prefix}_steady`, "r.id")} one)`;
  await copier.copy(tableOf(pass, `${prefix}_item`), {
    from: `${scopeTable} join ${prefix}_item r on r.scope_id = s.id where ${begun.replace("lateral ", "")}`,
    values,
  });
  const items = `${scopeTable} join ${prefix}_item i on i.scope_id = s.id`;
  for (const table of versionTables(prefix).filter((name) => tables.has(name)))
    await copier.copy(tableOf(pass, table), { from: `${items} cross join ${later(table, "i.id")} r`, values });
  if (!dataset.episodes) return;
  // Closed episodes do not change any more, those that the mirror has as open ones may have been closed.
  const open = pass.sqlite.prepare("select item_id from episode where closed_before is null").pluck().all() as number[];
  const changed =
    "(v.since > s.since or v.closed_before is null or v.item_id = any($3::bigint[]) or s.id = any($4::bigint[]))";
  await copier.copy(tableOf(pass, "episode"), {
    from: `${items} cross join ${later("episode", "i.id", changed)} r`,
    values: [...values, open, scopes.filter(({ isRewritten }) => isRewritten).map(({ id }) => id)],
  });
}

/** Copies the gaps that reach to the first changed slot of a series or beyond it. */
async function copyGaps({ sqlite, copier, ...pass }: Pass, first: ReadonlyMap<number, number>): Promise<void> {
  const begins = sqlite
    .prepare<[number, number], number | null>("select min(from_slot) from gap where series_id = ? and to_slot >= ?")
    .pluck();
  const remove = sqlite.prepare("delete from gap where series_id = ? and from_slot >= ?");
  const from = [...first].map(([series, slot]) => Math.min(begins.get(series, slot) ?? slot, slot));
  for (const [at, series] of [...first.keys()].entries()) remove.run(series, from[at]);
  await copier.copy(tableOf(pass, "gap"), {
    from: `unnest($1::bigint[], $2::bigint[], $3::bigint[]) s(id, slot, from_slot)
      join gap r on r.series_id = s.id and (r.from_slot >= s.from_slot or r.to_slot >= s.slot)`,
    values: [[...first.keys()], [...first.values()], from],
  });
}

/** Copies the ranges of days that were pruned. */
async function copyRanges(pass: Pass, { days }: NewLinks): Promise<void> {
  if (days.length === 0) return;
  await pass.copier.copy(tableOf(pass, "daily_range"), {
    from: "unnest($1::text[], $2::bigint[]) d(dataset, day) join daily_range r on r.dataset = d.dataset and r.day = d.day",
    values: [days.map(({ dataset }) => dataset), days.map(({ day }) => day)],
  });
}
