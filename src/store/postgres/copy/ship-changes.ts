/**
 * Copies to PostgreSQL what changed in an SQLite history since the last pass. What is new follows from the chain: the runs of new links,
 * the later snapshots, and the rows that begin with those. Small tables are compared as a whole.
 */
import { dayMs } from "../../../core/time.ts";
import type { AnyDataset } from "../../../datasets/incremental.ts";
import { parseNote, prunedNotes } from "../../chain/chain.ts";
import type { Sqlite } from "../../files/connections.ts";
import { notComplete, wholeRun } from "../../schema/tables.ts";
import { type Chains, chainQuery, chainsOf, changedChains } from "../ledger/changed-chains.ts";
import { forgetChains, shipChains } from "../ledger/ship-ledger.ts";
import { type Tables, tableOf, wholeTables } from "./pass.ts";
import { type Contents, prepared, type RowWriter, type Target, writeWhole } from "./row-writer.ts";

/** How far the copy is. */
export interface Position {
  /** The last link that was copied, its digest, and the last snapshot; 0: none. */
  link: number;
  head: Buffer;
  snapshot: number;
  /** When the state that was copied was read, epoch ms; 0 while the first copy is not complete. */
  at: number;
}

/** What was copied by the passes before. */
export interface ShipMemory extends Position {
  /** The names of the tables that have rows in `odd_digits`. */
  odd: Set<string>;
  /** What the small tables contained; empty where the last pass was that of another process. */
  contents: ReadonlyMap<string, Contents>;
  /** Days of which snapshots are being pruned, by their texts. */
  pruning: ReadonlyMap<string, PrunedDay>;
  /** The chains whose reconciliation was copied; null where the last pass was that of another process. */
  chains: Chains | null;
}

/** A day of a dataset of an account, as the epoch ms of its midnight, with the number of good snapshots that remain in the end. */
export interface PrunedDay {
  account: string;
  dataset: string;
  day: number;
  remaining: number;
}

/** Up to which link and snapshot a pass copies. */
export interface ShipEnd extends Pick<Position, "link" | "snapshot"> {
  /** Whether these are the last ones of the file. */
  isLast: boolean;
}

/** One pass: both ends, and the tables by name. */
export interface ShipPass extends Tables {
  sqlite: Sqlite;
  target: Target;
  writer: RowWriter;
  through: ShipEnd;
}

/** The rows of a scope after one snapshot up to another. */
interface ScopeRange {
  scope: number;
  /** The name of the dataset. */
  dataset: string;
  after: number;
  through: number;
}

/**
 * Copies everything after the position of `memory` up to that of the pass and returns what the next pass needs to know. In all passes of a
 * first copy but the last one, later rows of small tables are there before what they refer to, and gaps are missing.
 */
export async function shipChanges(
  pass: ShipPass,
  memory: ShipMemory,
): Promise<Pick<ShipMemory, "contents" | "pruning" | "chains">> {
  const { sqlite, writer, through } = pass;
  const isFirst = memory.at === 0;
  const ledger = await forgetLedger(pass, memory.chains);
  const contents = new Map<string, Contents>();
  for (const name of [...wholeTables, "ledger_finding"])
    contents.set(name, await writeWhole(pass, tableOf(pass, name), memory.contents.get(name)));
  const firstSlots = await copyRuns(pass, memory.link);
  const notes = await copyLinks(pass, memory.link);
  if (!isFirst) await copyGaps(pass, firstSlots);
  const pruning = await pruningOf(pass, memory, notes);
  const ranges = joinOverlapping([
    ...correctedRanges(pass, notes.corrected, memory.snapshot),
    ...(await prunedRanges(pass, pruning)),
  ]);
  for (const range of ranges) await forget(pass, range);
  ranges.push(...newRanges(pass, memory));
  await copySnapshots(pass, ranges);
  for (const dataset of pass.datasets) {
    const own = ranges.filter((range) => range.dataset === dataset.name);
    if (own.length > 0) await copyRows(pass, dataset, own, memory.snapshot);
  }
  for (const { account, dataset, day } of pruning.values()) await copyDay(pass, account, dataset, day);
  if (isFirst && through.isLast)
    for (const name of ["gap", "pruned", "daily_range"]) await writer.copy(tableOf(pass, name), `${name} r`);
  await shipChains(pass, ledger.changed);
  return { contents, pruning: unfinished(sqlite, pruning), chains: ledger.chains };
}

/** Deletes what was copied of the chains whose reconciliation changed. Returns these, and all chains. */
async function forgetLedger({ sqlite, target, through }: ShipPass, copied: Chains | null) {
  // Entries that are not copied yet have no steps there.
  if (!through.isLast) return { changed: [], chains: copied };
  const chains = chainsOf(prepared(sqlite, chainQuery).all());
  const changed = changedChains(chains, copied ?? chainsOf(await target.cells(chainQuery)));
  await forgetChains(target, changed);
  return { changed, chains };
}

/** Returns the ranges of the scopes that have new snapshots. */
function newRanges({ sqlite, through }: ShipPass, { snapshot }: ShipMemory): ScopeRange[] {
  const scopes = prepared(
    sqlite,
    `select distinct n.scope_id, e.dataset from snapshot n cross join scope p on p.id = n.scope_id
       cross join series e on e.id = p.series_id
     where n.id > ? and n.id <= ?`,
  ).all(snapshot, through.snapshot);
  return scopes.map(([scope, dataset]) => ({
    scope: Number(scope),
    dataset: String(dataset),
    after: snapshot,
    through: through.snapshot,
  }));
}

/** Copies the runs of links after `link`, and those that are running. Returns the first changed slot of each series. */
async function copyRuns(pass: ShipPass, link: number): Promise<Map<number, number>> {
  const table = tableOf(pass, "run");
  const [series = 0, slot = 0] = ["series_id", "slot"].map((name) =>
    table.columns.findIndex((one) => one.name === name),
  );
  const changed = "select run_id from link where id > ? and id <= ? union select id from run where state = 'running'";
  const first = new Map<number, number>();
  await pass.writer.copy(table, `run r where r.id in (${changed})`, [link, pass.through.link], (row) => {
    const [of, at] = [Number(row[series]), Number(row[slot])];
    first.set(of, Math.min(first.get(of) ?? at, at));
  });
  return first;
}

interface Notes {
  /** Corrected snapshots. */
  corrected: number[];
  pruned: PrunedDay[];
}

async function copyLinks(pass: ShipPass, link: number): Promise<Notes> {
  const table = tableOf(pass, "link");
  const noteAt = table.columns.findIndex(({ name }) => name === "note");
  const notes: Notes = { corrected: [], pruned: [] };
  await pass.writer.copy(table, "link r where r.id > ? and r.id <= ?", [link, pass.through.link], (row) => {
    const note = row[noteAt] === null ? null : parseNote(String(row[noteAt]));
    if (note?.[0] === "corrected") notes.corrected.push(note[1]);
    if (note?.[0] === "pruned") notes.pruned.push(prunedDay(note));
  });
  return notes;
}

const prunedDay = ([, account, dataset, day, retain]: readonly [
  string,
  string,
  string,
  string,
  readonly number[],
  string,
]) => ({
  account,
  dataset,
  day: Date.parse(day),
  remaining: retain.length,
});

/** Copies the gaps of each scope from the one at or before the first changed slot of its series on. */
async function copyGaps({ sqlite, writer, ...pass }: ShipPass, first: ReadonlyMap<number, number>): Promise<void> {
  const begins = [...first].flatMap(([series, slot]) =>
    prepared(
      sqlite,
      `select p.id, coalesce((select max(from_slot) from gap where series_id = @series and scope_id = p.id and from_slot <= @slot), @slot)
       from (select id from scope where series_id = @series union all values (${wholeRun}), (${notComplete})) p`,
    )
      .all({ series, slot })
      .map(([scope, begin]) => ({ series, scope: Number(scope), begin: Number(begin) })),
  );
  const rows: (readonly unknown[])[] = [];
  const table = tableOf(pass, "gap");
  await writer.copy(
    table,
    `(select value ->> 'series' as series, value ->> 'scope' as scope, value ->> 'begin' as begin from json_each(?)) s
     cross join gap r on r.series_id = s.series and r.scope_id = s.scope and r.from_slot >= s.begin`,
    [JSON.stringify(begins)],
    (row) => rows.push(row),
  );
  writer.add({
    name: "gap_gone",
    text: `delete from gap r using unnest($1::bigint[], $2::bigint[], $3::bigint[]) s(series, scope, begin)
      where exists (select from condition) and r.series_id = s.series and r.scope_id = s.scope and r.from_slot >= s.begin
        and not exists (select from unnest($4::bigint[], $5::bigint[], $6::bigint[]) k(series, scope, slot)
          where k.series = r.series_id and k.scope = r.scope_id and k.slot = r.from_slot)`,
    // As texts, which the driver sends as they are.
    values: [
      ...[begins.map(({ series }) => series), begins.map(({ scope }) => scope), begins.map(({ begin }) => begin)],
      ...table.key.map((name) => {
        const at = table.columns.findIndex((column) => column.name === name);
        return rows.map((row) => row[at]);
      }),
    ].map((cells) => `{${cells}}`),
  });
}

/** Returns the days that are being pruned: those of new notes, and those of passes before whose snapshots had not all been deleted. */
async function pruningOf(
  { sqlite, target, through }: ShipPass,
  memory: ShipMemory,
  notes: Notes,
): Promise<ShipMemory["pruning"]> {
  const days = new Map(memory.pruning);
  const add = (all: readonly PrunedDay[]) => {
    for (const one of all) days.set(`${one.account} ${one.dataset} ${one.day}`, one);
  };
  add(notes.pruned);
  if (memory.at === 0 ? !through.isLast : memory.contents.size > 0) return days;
  // Another process may have copied before: snapshots may have been deleted since without another note.
  const [[there] = []] = await target.cells("select count(*) from pruned");
  const [here] = prepared(sqlite, "select count(*) from pruned").get() ?? [];
  if (there !== here) add(prunedNotes(sqlite).map(prunedDay));
  return days;
}

/** Returns the days whose snapshots have not all been deleted yet. */
function unfinished(sqlite: Sqlite, days: ShipMemory["pruning"]): ShipMemory["pruning"] {
  const left = ({ account, dataset, day }: PrunedDay) =>
    prepared(
      sqlite,
      `select count(*) from snapshot n where n.error_code is null and n.scope_id in (${scopesOfSeries})
       and n.taken_at >= ? and n.taken_at < ?`,
    ).get(account, dataset, day, day + dayMs)?.[0];
  return new Map([...days].filter(([, one]) => Number(left(one)) > one.remaining));
}

const scopesOfSeries = `select p.id from account a join series e on e.account_id = a.id join scope p on p.series_id = e.id
  where a.name = ? and e.dataset = ?`;

/** Returns the ranges of pruned days in which PostgreSQL has other snapshots than SQLite. */
async function prunedRanges({ sqlite, target }: ShipPass, days: ShipMemory["pruning"]): Promise<ScopeRange[]> {
  const ranges: ScopeRange[] = [];
  for (const { account, dataset, day } of days.values())
    for (const [scope] of prepared(sqlite, scopesOfSeries).all(account, dataset)) {
      const [[from, through, there] = []] = await target.cells(
        `select min(id), max(id), (select count(*) from snapshot where scope_id = $1 and id between min(n.id) and max(n.id))
         from snapshot n where scope_id = $1 and taken_at >= $2 and taken_at < $3`,
        [Number(scope), day, day + dayMs],
      );
      const here = "select count(*) from snapshot where scope_id = ? and id between ? and ?";
      if (typeof from !== "number" || typeof through !== "number") continue;
      if (prepared(sqlite, here).get(scope, from, through)?.[0] !== there)
        ranges.push({ scope: Number(scope), dataset, after: from - 1, through });
    }
  return ranges;
}

/** Returns a range from each corrected snapshot on, up to what is new anyway. */
function correctedRanges({ sqlite }: ShipPass, corrected: readonly number[], snapshot: number): ScopeRange[] {
  const scopeOf = `select p.id, e.dataset from snapshot n join scope p on p.id = n.scope_id join series e on e.id = p.series_id
    where n.id = ?`;
  return corrected
    .filter((id) => id <= snapshot)
    .flatMap((id) =>
      prepared(sqlite, scopeOf)
        .all(id)
        .map(([scope, dataset]) => ({
          scope: Number(scope),
          dataset: String(dataset),
          after: id - 1,
          through: snapshot,
        })),
    );
}

/** Returns the ranges without overlaps: one statement must not write a row twice. */
function joinOverlapping(ranges: readonly ScopeRange[]): ScopeRange[] {
  const joined: ScopeRange[] = [];
  for (const range of ranges.toSorted((one, other) => one.scope - other.scope || one.after - other.after)) {
    const last = joined.at(-1);
    if (last?.scope === range.scope && range.after < last.through) last.through = Math.max(last.through, range.through);
    else joined.push({ ...range });
  }
  return joined;
}

const versionTables = (prefix: string): string[] => ["steady", "moving", "extra"].map((part) => `${prefix}_${part}`);
const prefixOf = ({ name }: AnyDataset): string => name.replaceAll("-", "_");

/** Deletes what PostgreSQL has of a range, and the episodes of its scope. */
async function forget({ target, tables, datasets }: ShipPass, { scope, dataset: name, after, through }: ScopeRange) {
  const dataset = datasets.find((one) => one.name === name);
  const [range, within] = [[scope, after, through], "scope_id = $1 and id > $2 and id <= $3"];
  if (dataset?.mode === "incremental") {
    await target.run(`delete from reading where snapshot_id in (select id from snapshot where ${within})`, range);
    await target.run(
      `delete from ${prefixOf(dataset)}_record where ${within.replaceAll(" id", " snapshot_id")}`,
      range,
    );
  } else if (dataset) {
    const prefix = prefixOf(dataset);
    const items = `(select id from ${prefix}_item where scope_id = $1)`;
    for (const table of versionTables(prefix).filter((one) => tables.has(one)))
      await target.run(`delete from ${table} where item_id in ${items} and since > $2 and since <= $3`, range);
    if (dataset.episodes) await target.run(`delete from episode where item_id in ${items}`, [scope]);
    // Those that began there: they have no row left.
    await target.run(
      `delete from ${prefix}_item i where scope_id = $1 and not exists (select 1 from ${prefix}_steady where item_id = i.id)`,
      [scope],
    );
  }
  await target.run(`delete from snapshot where ${within}`, range);
}

/** Ranges as a table `s (scope, after, through)` of SQLite; its parameter is `JSON.stringify` of the ranges. */
const rangeTable = `(select value ->> 'scope' as scope, value ->> 'after' as after, value ->> 'through' as through from json_each(?)) s`;

async function copySnapshots({ writer, ...pass }: ShipPass, ranges: readonly ScopeRange[]): Promise<void> {
  if (ranges.length === 0) return;
  const from = Math.min(...ranges.map(({ after }) => after));
  await writer.copy(
    tableOf(pass, "snapshot"),
    `snapshot r cross join ${rangeTable} on s.scope = r.scope_id and r.id > s.after and r.id <= s.through where r.id > ?`,
    [JSON.stringify(ranges), from],
  );
}

/** Copies the rows of a dataset that begin in the ranges. Each item is searched in the primary key. */
async function copyRows(
  pass: ShipPass,
  dataset: AnyDataset,
  ranges: readonly ScopeRange[],
  snapshot: number,
): Promise<void> {
  const { writer, tables, through } = pass;
  const prefix = prefixOf(dataset);
  const text = JSON.stringify(ranges);
  if (dataset.mode === "incremental") {
    // The sign makes SQLite search by id.
    const within = `snapshot n on +n.scope_id = s.scope and n.id > s.after and n.id <= s.through`;
    await writer.copy(
      tableOf(pass, "reading"),
      `${rangeTable} cross join ${within} cross join reading r on r.snapshot_id = n.id`,
      [text],
    );
    const records = `${prefix}_record r on r.scope_id = s.scope and r.snapshot_id > s.after and r.snapshot_id <= s.through`;
    return writer.copy(
      tableOf(pass, `${prefix}_record`),
      `${rangeTable} cross join ${records} where exists (select 1 from ${within.replace(" on ", " where ")} and n.rows > 0)`,
      [text],
    );
  }
  const items = `${rangeTable} cross join ${prefix}_item i on i.scope_id = s.scope`;
  const changed = new Set<unknown>();
  for (const table of versionTables(prefix).filter((name) => tables.has(name)))
    await writer.copy(
      tableOf(pass, table),
      `${items} cross join ${table} r on r.item_id = i.id and r.since > s.after and r.since <= s.through`,
      [text],
      ([item]) => table.endsWith("_steady") && changed.add(item),
    );
  // An item begins with a steady row.
  const begun = "r.id in (select value from json_each(?))";
  await writer.copy(tableOf(pass, `${prefix}_item`), `${prefix}_item r where ${begun}`, [JSON.stringify([...changed])]);
  if (!dataset.episodes) return;
  // From the episode on that was in force before the new snapshots; all of a scope that was rewritten.
  const since = `iif(s.after < ?, 0, (select max(since) from episode where item_id = i.id and since <= s.after))`;
  const later = `select e.item_id, e.since from ${items} cross join episode e on e.item_id = i.id and e.since >= coalesce(${since}, 0)`;
  await writer.copy(tableOf(pass, "episode"), `episode r where (r.item_id, r.since) in (${later}) and r.since <= ?`, [
    text,
    snapshot,
    through.snapshot,
  ]);
}

/** Copies the digests of the pruned snapshots of a day, and the ranges of its amounts. */
async function copyDay(pass: ShipPass, account: string, dataset: string, day: number): Promise<void> {
  const { writer } = pass;
  await writer.copy(
    tableOf(pass, "pruned"),
    `run n join pruned r on r.run_id = n.id
     where n.series_id = (select e.id from account a join series e on e.account_id = a.id where a.name = ? and e.dataset = ?)
       and n.slot >= ? and n.slot < ?`,
    [account, dataset, day - dayMs, day + 2 * dayMs],
  );
  const prefix = dataset.replaceAll("-", "_");
  await writer.copy(
    tableOf(pass, "daily_range"),
    `${prefix}_item i join daily_range r on r.dataset = ? and r.item_id = i.id and r.day = ? where i.scope_id in (${scopesOfSeries})`,
    [dataset, day, account, dataset],
  );
}
