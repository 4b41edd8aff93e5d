/**
 * Copies to PostgreSQL what changed in an SQLite history since the last pass. What is new follows from the chain: the runs of new links,
 * the later snapshots, and the rows that begin with those. Small tables are compared as a whole.
 */
import { dayMs } from "../../../core/time.ts";
import type { AnyDataset } from "../../../datasets/incremental.ts";
import { parseNote, prunedNotes } from "../../chain/chain.ts";
import type { Sqlite } from "../../files/connections.ts";
import type { Connection } from "../connection.ts";
import { type Tables, tableOf, wholeTables } from "./pass.ts";
import { type Contents, type RowWriter, writeWhole } from "./row-writer.ts";

/** What was copied by the passes before. */
export interface ShipMemory {
  /** The last link and the last snapshot that were copied; 0: none. */
  link: number;
  snapshot: number;
  /** What the small tables contained; empty where the last pass was that of another process. */
  contents: Map<string, Contents>;
  /** Days of which snapshots are being pruned, by their texts. */
  pruning: Map<string, PrunedDay>;
}

/** A day of a dataset of an account, as the epoch ms of its midnight, with the number of good snapshots that remain in the end. */
export interface PrunedDay {
  account: string;
  dataset: string;
  day: number;
  remaining: number;
}

/** One pass: both ends, and the tables by name. */
export interface ShipPass extends Tables {
  sqlite: Sqlite;
  target: Connection;
  writer: RowWriter;
}

/** The rows of a scope after one snapshot up to another. */
interface ScopeRange {
  scope: number;
  after: number;
  through: number;
}

/** Copies everything after the position of `memory` and returns what the next pass needs to know. */
export async function shipChanges(pass: ShipPass, memory: ShipMemory): Promise<ShipMemory> {
  const { sqlite, writer } = pass;
  const contents = new Map<string, Contents>();
  for (const name of wholeTables)
    contents.set(name, await writeWhole(pass, tableOf(pass, name), memory.contents.get(name)));
  const { snapshot } = memory;
  const firstSlots = new Map<number, number>();
  await copyRuns(pass, memory.link, firstSlots);
  const notes = await copyLinks(pass, memory.link);
  await copyGaps(pass, firstSlots);
  const pruning = await pruningOf(pass, memory, notes);
  const rewritten = joinOverlapping([
    ...correctedRanges(pass, notes.corrected, snapshot),
    ...(await prunedRanges(pass, pruning)),
  ]);
  for (const range of rewritten) await forget(pass, range);
  const fresh = scopesAfter(sqlite, snapshot).map((scope) => ({
    scope,
    after: snapshot,
    through: Number.MAX_SAFE_INTEGER,
  }));
  const last = sqlite.prepare<[], number | null>("select max(id) from snapshot").pluck().get() ?? 0;
  if (snapshot === 0) await writer.copy(tableOf(pass, "snapshot"), "snapshot r");
  else await copySnapshots(pass, [...rewritten, ...fresh]);
  for (const dataset of pass.datasets)
    if (snapshot === 0) await copyWholeDataset(pass, dataset);
    else await copyRows(pass, dataset, [...rewritten, ...fresh], snapshot);
  for (const { account, dataset, day } of pruning.values()) await copyDay(pass, account, dataset, day);
  if (snapshot === 0) for (const name of ["pruned", "daily_range"]) await writer.copy(tableOf(pass, name), `${name} r`);
  const link = sqlite.prepare<[], number | null>("select max(id) from link").pluck().get() ?? 0;
  return { link, snapshot: Math.max(last, snapshot), contents, pruning: unfinished(sqlite, pruning) };
}

const scopesAfter = (sqlite: Sqlite, snapshot: number): number[] =>
  sqlite.prepare<[number], number>("select distinct scope_id from snapshot where id > ?").pluck().all(snapshot);

/** Copies the runs of links after `link`, and those that are running. Adds the first changed slot of each series. */
async function copyRuns(pass: ShipPass, link: number, first: Map<number, number>): Promise<void> {
  const table = tableOf(pass, "run");
  const [series = 0, slot = 0] = ["series_id", "slot"].map((name) =>
    table.columns.findIndex((one) => one.name === name),
  );
  const changed = "select run_id from link where id > ? union select id from run where state = 'running'";
  const [from, values] = link === 0 ? ["run r", []] : [`run r where r.id in (${changed})`, [link]];
  await pass.writer.copy(table, from, values, (row) => {
    const [of, at] = [Number(row[series]), Number(row[slot])];
    first.set(of, Math.min(first.get(of) ?? at, at));
  });
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
  await pass.writer.copy(table, "link r where r.id > ?", [link], (row) => {
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

/** Copies the gaps of a series from the one at or before its first changed slot on. */
async function copyGaps(
  { sqlite, target, writer, ...pass }: ShipPass,
  first: ReadonlyMap<number, number>,
): Promise<void> {
  const table = tableOf(pass, "gap");
  const begins = sqlite
    .prepare<[number, number], number | null>(
      `select min(begin) from (select max(from_slot) as begin from gap where series_id = ? and from_slot <= ? group by scope_id)`,
    )
    .pluck();
  for (const [series, slot] of first) {
    const begin = Math.min(begins.get(series, slot) ?? slot, slot);
    await target.run("delete from gap where series_id = $1 and from_slot >= $2", [series, begin]);
    await writer.copy(table, "gap r where r.series_id = ? and r.from_slot >= ?", [series, begin]);
  }
}

/** Returns the days that are being pruned: those of new notes, and those of passes before whose snapshots had not all been deleted. */
async function pruningOf(
  { sqlite, target }: ShipPass,
  memory: ShipMemory,
  notes: Notes,
): Promise<ShipMemory["pruning"]> {
  const days = new Map(memory.pruning);
  const add = (all: readonly PrunedDay[]) => {
    for (const one of all) days.set(`${one.account} ${one.dataset} ${one.day}`, one);
  };
  add(notes.pruned);
  if (memory.snapshot === 0 || memory.contents.size > 0) return days;
  // Another process copied before: snapshots may have been deleted since without another note.
  const [[there] = []] = await target.cells("select count(*) from pruned");
  if (there !== sqlite.prepare("select count(*) from pruned").pluck().get()) add(prunedNotes(sqlite).map(prunedDay));
  return days;
}

/** Returns the days whose snapshots have not all been deleted yet. */
function unfinished(sqlite: Sqlite, days: ShipMemory["pruning"]): ShipMemory["pruning"] {
  const count = sqlite
    .prepare<[string, string, number, number], number>(
      `select count(*) from snapshot n where n.error_code is null and n.scope_id in (${scopesOfSeries})
       and n.taken_at >= ? and n.taken_at < ?`,
    )
    .pluck();
  return new Map(
    [...days].filter(
      ([, { account, dataset, day, remaining }]) => (count.get(account, dataset, day, day + dayMs) ?? 0) > remaining,
    ),
  );
}

const scopesOfSeries = `select p.id from account a join series e on e.account_id = a.id join scope p on p.series_id = e.id
  where a.name = ? and e.dataset = ?`;

/** Returns the ranges of pruned days in which PostgreSQL has other snapshots than SQLite. */
async function prunedRanges({ sqlite, target }: ShipPass, days: ShipMemory["pruning"]): Promise<ScopeRange[]> {
  const scopes = sqlite.prepare<[string, string], number>(scopesOfSeries).pluck();
  const count = sqlite
    .prepare<[number, number, number], number>(
      "select count(*) from snapshot where scope_id = ? and id between ? and ?",
    )
    .pluck();
  const ranges: ScopeRange[] = [];
  for (const { account, dataset, day } of days.values())
    for (const scope of scopes.all(account, dataset)) {
      const [[from, through, there] = []] = await target.cells(
        `select min(id), max(id), (select count(*) from snapshot where scope_id = $1 and id between min(n.id) and max(n.id))
         from snapshot n where scope_id = $1 and taken_at >= $2 and taken_at < $3`,
        [scope, day, day + dayMs],
      );
      if (typeof from === "number" && typeof through === "number" && count.get(scope, from, through) !== there)
        ranges.push({ scope, after: from - 1, through });
    }
  return ranges;
}

/** Returns everything of a scope from its first corrected snapshot on, up to what is new anyway. */
function correctedRanges({ sqlite }: ShipPass, corrected: readonly number[], snapshot: number): ScopeRange[] {
  const scopeOf = sqlite.prepare<[number], number>("select scope_id from snapshot where id = ?").pluck();
  const first = new Map<number, number>();
  for (const id of corrected.filter((one) => one <= snapshot)) {
    const scope = scopeOf.get(id);
    if (scope !== undefined) first.set(scope, Math.min(first.get(scope) ?? id, id));
  }
  return [...first].map(([scope, id]) => ({ scope, after: id - 1, through: snapshot }));
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
async function forget({ target, tables, datasets }: ShipPass, { scope, after, through }: ScopeRange): Promise<void> {
  const range = [scope, after, through];
  for (const dataset of datasets) {
    const prefix = prefixOf(dataset);
    const items = `(select id from ${prefix}_item where scope_id = $1)`;
    if (dataset.mode === "incremental") {
      await target.run(
        `delete from ${prefix}_record where scope_id = $1 and snapshot_id > $2 and snapshot_id <= $3`,
        range,
      );
      continue;
    }
    for (const table of versionTables(prefix).filter((name) => tables.has(name)))
      await target.run(`delete from ${table} where item_id in ${items} and since > $2 and since <= $3`, range);
    if (dataset.episodes) await target.run(`delete from episode where item_id in ${items}`, [scope]);
    // Those that began there: they have no row left.
    await target.run(
      `delete from ${prefix}_item i where scope_id = $1 and not exists (select 1 from ${prefix}_steady where item_id = i.id)`,
      [scope],
    );
  }
  await target.run("delete from snapshot where scope_id = $1 and id > $2 and id <= $3", range);
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
  const { writer, sqlite, tables } = pass;
  const prefix = prefixOf(dataset);
  const own = sqlite
    .prepare<[string], number>("select p.id from scope p join series e on e.id = p.series_id where e.dataset = ?")
    .pluck()
    .all(dataset.name);
  const values = ranges.filter(({ scope }) => own.includes(scope));
  if (values.length === 0) return;
  const text = JSON.stringify(values);
  if (dataset.mode === "incremental") {
    const within = `${rangeTable} cross join snapshot n on n.scope_id = s.scope and n.id > s.after and n.id <= s.through`;
    await writer.copy(tableOf(pass, "reading"), `${within} join reading r on r.snapshot_id = n.id`, [text]);
    const records = `${rangeTable} cross join ${prefix}_record r on r.scope_id = s.scope and r.snapshot_id > s.after and r.snapshot_id <= s.through`;
    return writer.copy(tableOf(pass, `${prefix}_record`), records, [text]);
  }
  // A scope can have several ranges: `in` finds each row once.
  const begun = `exists (select 1 from ${prefix}_steady v where v.item_id = i.id and v.since > s.after and v.since <= s.through)`;
  const items = `${rangeTable} cross join ${prefix}_item i on i.scope_id = s.scope`;
  await writer.copy(
    tableOf(pass, `${prefix}_item`),
    `${prefix}_item r where r.id in (select i.id from ${items} where ${begun})`,
    [text],
  );
  for (const table of versionTables(prefix).filter((name) => tables.has(name)))
    await writer.copy(
      tableOf(pass, table),
      `${items} cross join ${table} r on r.item_id = i.id and r.since > s.after and r.since <= s.through`,
      [text],
    );
  if (!dataset.episodes) return;
  // From the episode on that was in force before the new snapshots; all of a scope that was rewritten.
  const since = `iif(s.after < ?, 0, (select max(since) from episode where item_id = i.id and since <= s.after))`;
  const later = `select e.item_id, e.since from ${items} cross join episode e on e.item_id = i.id and e.since >= coalesce(${since}, 0)`;
  await writer.copy(tableOf(pass, "episode"), `episode r where (r.item_id, r.since) in (${later})`, [text, snapshot]);
}

async function copyWholeDataset(pass: ShipPass, dataset: AnyDataset): Promise<void> {
  const prefix = prefixOf(dataset);
  const names =
    dataset.mode === "incremental"
      ? ["reading", `${prefix}_record`]
      : [`${prefix}_item`, ...versionTables(prefix), ...(dataset.episodes ? ["episode"] : [])];
  for (const name of names.filter((one) => pass.tables.has(one)))
    await pass.writer.copy(tableOf(pass, name), `${name} r`);
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
