/** Verifies every chain from its first link: finds runs and notes that were altered, removed, inserted or never linked. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import type { Value } from "../../core/domain.ts";
import {
  accountOf,
  genesis,
  type Note,
  noteText,
  parseNote,
  type RunCells,
  runColumns,
  runText,
  type SnapshotDigest,
} from "../chain/chain.ts";
import { linkDigest } from "../schema/digest.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { Report } from "./problem.ts";

interface Link {
  id: number;
  chain: number;
  runId: number | null;
  note: string | null;
  digest: Buffer;
  /** The run as it is now, undefined if it is missing. */
  run: RunCells | undefined;
  snapshots: LinkedSnapshot[];
}

interface LinkedSnapshot extends SnapshotDigest {
  isPruned: boolean;
}

/** The rows of a table according to the notes: values by key. */
type NotedRows = Map<string, readonly Value[]>;

const accountAt = runColumns.indexOf("account.name");
const slotAt = runColumns.indexOf("run.slot");
const stateAt = runColumns.indexOf("run.state");
const causeAt = runColumns.indexOf("run.cause");
const rowsAt = runColumns.indexOf("run.rows");

/** The last link of a chain, and its expected value, which differs if it was altered. */
interface Position {
  id: number;
  digest: Buffer;
  expected: Buffer;
}

const beforeFirst: Position = { id: 0, digest: genesis, expected: genesis };

/** Verifies every link and calls `onLink` after each. Returns the last link of each chain, its head, by the number of the chain. */
export function* checkChains(sqlite: Sqlite, report: Report, onLink: () => void): Steps<Map<number, Buffer>> {
  const changes = changesOf(sqlite);
  const unlinked = new Set(changes.keys());
  const noted: NotedRows = new Map();
  const chains = new Map<number, Position>();
  const accounts = accountIds(sqlite);
  for (const link of linksOf(sqlite)) {
    const last = chains.get(link.chain) ?? beforeFirst;
    // Ids are consecutive only in a chain of the whole file: the chains of accounts share the ids.
    if (link.chain === 0 && link.id !== last.id + 1)
      report(`link ${last.id + 1} (link): is missing before link ${link.id}`);
    const later = changes.get(link.runId ?? 0)?.filter((change) => change.link > link.id) ?? [];
    const then = later.reduceRight(undoChange, link);
    const text = textOf(then);
    // If a link itself was altered, the next one still follows from its original value.
    const follows = [last.digest, last.expected].some((before) => linkDigest(before, text).equals(link.digest));
    if (!follows) reportLink(then, report);
    if (link.chain !== 0 && accounts.get(accountOfLink(link)) !== link.chain)
      report(`link ${link.id} (link.chain): is not the chain of its account`);
    if (then.run && link.note === null && then.run[stateAt] === "running") {
      report(`run ${link.runId} (run.state): has ended, but its state is running`, Number(then.run[slotAt]));
    }
    if (link.note !== null) collectNote(noted, link, report);
    else if (later.length === 0) unlinked.delete(link.runId ?? 0);
    chains.set(link.chain, { id: link.id, digest: link.digest, expected: linkDigest(last.digest, text) });
    onLink();
    yield pause;
  }
  checkUnlinked(sqlite, [...unlinked], report);
  checkNotedRows(sqlite, noted, report);
  return new Map([...chains].map(([chain, { digest }]) => [chain, digest]));
}

const accountIds = (sqlite: Sqlite): Map<string, number> =>
  new Map(sqlite.prepare<[], [string, number]>("select name, id from account").raw().all());

/** Returns the account that a link is about; an empty text where neither its run nor its note is readable. */
function accountOfLink({ run, note }: Link): string {
  if (run) return String(run[accountAt]);
  const parsed = parseNote(note ?? "");
  return parsed ? accountOf(parsed) : "";
}

const textOf = ({ runId, note, snapshots, run }: Link): string =>
  note === null ? runText(run ?? [runId], run?.[stateAt] === "missed" ? [] : snapshots) : noteText(note, runId);

function reportLink({ id, runId, note, run, snapshots }: Link, report: Report): void {
  const tables = snapshots.some(({ isPruned }) => isPruned) ? "its snapshots (snapshot, pruned)" : "its snapshots";
  const covered = note === null ? `run ${runId}, ${tables}` : `the note ${note}`;
  const slot = run ? Number(run[slotAt]) : undefined;
  report(`link ${id} (link): does not follow from ${covered} and the link before it`, slot);
}

/** Returns a run as it was while it was `missed`, before it was claimed later. */
const missedRun = (run: RunCells, cause: string | null): RunCells =>
  run.map((cell, at) => {
    if (at === stateAt) return "missed";
    if (at === causeAt) return cause;
    if (at <= slotAt) return cell;
    return /requests|retries|rows/.test(runColumns[at] ?? "") ? 0 : null;
  });

/** A note about a run that had ended before. */
interface Change {
  link: number;
  note: Note | null;
}

/** Returns the changes by run, in the order of the chain. */
function changesOf(sqlite: Sqlite): Map<number, Change[]> {
  const rows = sqlite
    .prepare("select run_id, id, note from link where note is not null and run_id is not null order by id")
    .raw()
    .iterate() as IterableIterator<[number, number, string]>;
  const changes = new Map<number, Change[]>();
  for (const [run, link, note] of rows)
    changes.set(run, [...(changes.get(run) ?? []), { link, note: parseNote(note) }]);
  return changes;
}

/** Returns a link with its run and snapshots as they were before a change. */
function undoChange(link: Link, { note }: Change): Link {
  if (note?.[0] === "run") return link.run ? { ...link, run: missedRun(link.run, note[2]) } : link;
  if (note?.[0] !== "corrected") return link;
  const [, id, digest, rows] = note;
  const run = link.run?.map((cell, at) => (at === rowsAt ? rows : cell));
  const was = Buffer.from(String(digest), "hex");
  return { ...link, run, snapshots: link.snapshots.map((one) => (one.id === id ? { ...one, digest: was } : one)) };
}

/** Yields every link with its run and snapshots. Uses a temporary table in place of an index from runs to snapshots, which only this needs. */
function* linksOf(sqlite: Sqlite): Generator<Link, void> {
  sqlite.exec(`
    create temp table sealed (
      run_id integer, id integer, digest blob, is_pruned integer, primary key (run_id, id)
    ) without rowid;
    insert into sealed select run_id, id, digest, 0 from snapshot order by run_id, id;
    insert or ignore into sealed select run_id, id, digest, 1 from pruned order by run_id, id;
  `);
  const rows = sqlite
    .prepare(
      `select l.id, l.chain, l.run_id, l.note, l.digest, n.id, n.digest, n.is_pruned, ${runColumns.join(", ")}
       from link l left join run on run.id = l.run_id left join series on series.id = run.series_id
         left join account on account.id = series.account_id
         left join sealed n on n.run_id = run.id and l.note is null
       order by l.id`,
    )
    .raw()
    .iterate() as IterableIterator<
    [number, number, number | null, string | null, Buffer, number | null, Buffer | null, 0 | 1 | null, ...RunCells]
  >;
  let current: Link | undefined;
  for (const [id, chain, runId, note, digest, snapshotId, sealed, isPruned, ...run] of rows) {
    if (current && current.id !== id) yield sorted(current);
    if (current?.id !== id) {
      current = { id, chain, runId, note, digest, run: run[0] === null ? undefined : run, snapshots: [] };
    }
    if (snapshotId !== null && sealed !== null)
      current.snapshots.push({ id: snapshotId, digest: sealed, isPruned: isPruned === 1 });
  }
  if (current) yield sorted(current);
}

function sorted(link: Link): Link {
  link.snapshots.sort((one, other) => one.id - other.id);
  return link;
}

function checkUnlinked(sqlite: Sqlite, reclaimed: readonly number[], report: Report): void {
  const unlinked = sqlite
    .prepare(
      `select id, slot from run where state <> 'running' and (id in (${reclaimed.join(", ")})
         or id not in (select run_id from link where run_id is not null and note is null)) order by slot limit 20`,
    )
    .all() as { id: number; slot: number }[];
  for (const { id, slot } of unlinked) report(`run ${id} (run): has ended, but has no link`, slot);
}

function collectNote(noted: NotedRows, { id, note }: Link, report: Report): void {
  const cells = parseNote(note ?? "");
  if (cells?.[0] === "schedule") noted.set(JSON.stringify(cells.slice(0, 4)), cells.slice(4));
  else if (cells?.[0] === "account_mode") noted.set(JSON.stringify(cells.slice(0, 2)), cells.slice(2));
  // Notes about runs are checked with the links, notes about pruning in check-pruned.ts.
  else if (!["run", "corrected", "pruned"].includes(String(cells?.[0])))
    report(`link ${id} (link.note): cannot be parsed`);
}

/** Compares schedules and API versions in the notes with those in the tables. */
function checkNotedRows(sqlite: Sqlite, noted: NotedRows, report: Report): void {
  const rows = (sql: string) => sqlite.prepare(sql).raw().all() as Value[][];
  const compare = (keys: number, fields: readonly string[], found: readonly Value[][]) => {
    for (const row of found) {
      const key = JSON.stringify(row.slice(0, keys));
      const expected = noted.get(key);
      noted.delete(key);
      const name = `${row.slice(1, keys).join(" ")} (${row[0]}`;
      if (!expected) report(`${name}): is not in the chain`);
      for (const [at, was] of expected?.entries() ?? []) {
        if (was !== row[keys + at]) report(`${name}.${fields[at]}): is ${row[keys + at]}, and was ${was}`);
      }
    }
  };
  compare(
    4,
    ["pattern", "until"],
    rows(`select 'schedule', a.name, e.dataset, c.since, c.pattern, c.until from schedule c
          join series e on e.id = c.series_id join account a on a.id = e.account_id`),
  );
  compare(
    2,
    ["account", "since", "api", "cause"],
    rows(`select 'account_mode', m.id, a.name, m.since, m.api, m.cause from account_mode m
          join account a on a.id = m.account_id`),
  );
  for (const key of noted.keys()) report(`${JSON.parse(key).join(" ")}: is in the chain, but not in its table`);
}
