/** Reads and writes the run ledger in PostgreSQL. What writes expects the row of the account to be locked, which `lockAccount` does. */
import { type ApiVersion, type DatasetName, isDueSlot, type Trigger } from "../../../core/domain.ts";
import type { RunCells } from "../../chain/chain.ts";
import type { LedgerRun, RunRow, ScheduleInForce, UnrunSlot } from "../../runs/run-ledger.ts";
import type { SeriesSlot } from "../../store.ts";
import type { Connection } from "../connection.ts";
import { AccountChain } from "./chain.ts";
import { newestClosed, runAdded, runEnded, runReclaimed } from "./gaps.ts";

/** An account whose row is locked until the transaction ends: its ids and links are in the order of the commits. */
export interface LockedAccount {
  connection: Connection;
  id: number;
  name: string;
  chain: AccountChain;
}

/** A run, with the process that runs it. */
export interface RecordedRun extends LedgerRun {
  worker: string | null;
}

/** Returns the account after locking its row; adds it where it is new. */
export async function lockAccount(connection: Connection, name: string): Promise<LockedAccount> {
  const find = () => connection.query<{ id: number }>("select id from account where name = $1 for update", [name]);
  let [found] = await find();
  if (!found) {
    await connection.run("insert into account (name) values ($1) on conflict do nothing", [name]);
    [found] = await find();
  }
  if (!found) throw new Error(`account ${name} is missing right after it was stored`);
  return lockedAccount(connection, found.id, name);
}

const lockedAccount = (connection: Connection, id: number, name: string): LockedAccount => ({
  ...{ connection, id, name },
  chain: new AccountChain(connection, id),
});

/** Returns the name of the account of a run. Throws an Error where there is no run with this id. */
export async function accountOf(connection: Connection, runId: number): Promise<string> {
  const [found] = await connection.query<{ name: string }>(
    `select a.name from run r join series e on e.id = r.series_id join account a on a.id = e.account_id where r.id = $1`,
    [runId],
  );
  if (!found) throw new Error(`run ${runId} does not exist`);
  return found.name;
}

/** Returns the API version an account last used; null where that was never known. */
export async function apiVersion(connection: Connection, name: string): Promise<ApiVersion | null> {
  const [found] = await connection.query<{ api: ApiVersion }>(
    `select m.api from account_mode m join account a on a.id = m.account_id where a.name = $1 order by m.id desc limit 1`,
    [name],
  );
  return found?.api ?? null;
}

export async function setApiVersion(account: LockedAccount, api: ApiVersion, since: number, cause: string) {
  const { connection, id, name, chain } = account;
  if ((await apiVersion(connection, name)) === api) return;
  const [mode] = await connection.query<{ id: number }>(
    "insert into account_mode (account_id, since, api, cause) values ($1, $2, $3, $4) returning id",
    [id, since, api, cause],
  );
  chain.appendNote(["account_mode", mode?.id ?? 0, name, since, api, cause]);
}

/** Returns the schedule in force; null where the dataset was never scheduled, or is switched off. */
export async function schedule(
  connection: Connection,
  name: string,
  dataset: DatasetName,
): Promise<ScheduleInForce | null> {
  const [found] = await connection.query<ScheduleInForce>(
    `select c.pattern, c.since, coalesce(e.accounted_to, c.since) as "processedThrough"
     from schedule c join series e on e.id = c.series_id join account a on a.id = e.account_id
     where a.name = $1 and e.dataset = $2 and c.until is null`,
    [name, dataset],
  );
  return found ?? null;
}

/** Changes the schedule in force. One with the same pattern, which another process has begun before, stays as it is. */
export async function setSchedule(
  account: LockedAccount,
  dataset: DatasetName,
  pattern: string | null,
  at: number,
): Promise<void> {
  const { connection, name, chain } = account;
  const seriesId = await storedSeriesId(account, dataset);
  const same = "select 1 from schedule where series_id = $1 and until is null and pattern = $2 and since <= $3";
  if (pattern !== null && (await connection.cells(same, [seriesId, pattern, at])).length > 0) return;
  const ended = await connection.query<{ since: number; pattern: string }>(
    "update schedule set until = $2 where series_id = $1 and until is null returning since, pattern",
    [seriesId, at],
  );
  for (const old of ended) chain.appendNote(["schedule", name, dataset, old.since, old.pattern, at]);
  if (pattern !== null) {
    await connection.run(
      `insert into schedule (series_id, since, pattern) values ($1, $2, $3)
       on conflict (series_id, since) do update set pattern = excluded.pattern, until = null`,
      [seriesId, at, pattern],
    );
    chain.appendNote(["schedule", name, dataset, at, pattern, null]);
  }
  await connection.run("update series set accounted_to = $2 where id = $1", [seriesId, at]);
}

const findSeries = "select id from series where account_id = $1 and dataset = $2";

/** Returns the id of a series, which is added where it is new. */
async function storedSeriesId({ connection, id }: LockedAccount, dataset: DatasetName): Promise<number> {
  const [found] = await connection.query<{ id: number }>(findSeries, [id, dataset]);
  if (found) return found.id;
  const [added] = await connection.query<{ id: number }>(
    "insert into series (account_id, dataset) values ($1, $2) returning id",
    [id, dataset],
  );
  return added?.id ?? 0;
}

/** Whether the schedule of the series `e` has ended. False for a series that never had one. */
const isEnded = `(exists (select 1 from schedule where series_id = e.id)
  and not exists (select 1 from schedule where series_id = e.id and until is null))`;

/** How a process claims a slot. */
export interface Claim {
  dataset: DatasetName;
  slot: number;
  startedAt: number;
  trigger: Trigger;
  worker: string | null;
  /** How long the run may take before another process may fail it. Milliseconds. */
  leaseMs: number;
}

interface FoundSlot {
  seriesId: number | null;
  id: number | null;
  state: string | null;
  cause: string | null;
  lateMs: number | null;
  worker: string | null;
  /** Whether the series has a run of a later slot. */
  isOlder: boolean;
  /** Whether its schedule has ended: another process no longer collects it. */
  isEnded: boolean;
  now: number;
}

/**
 * Begins the run of a slot. Returns its id; null where the slot has a row already, unless that is `missed`; and how long the slot is still
 * ahead, in milliseconds, where the clock of the database has not reached a slot of the schedule.
 */
export async function claim(account: LockedAccount, claim: Claim): Promise<number | null | { aheadMs: number }> {
  const { connection, chain } = account;
  const { dataset, slot, startedAt, trigger, worker, leaseMs } = claim;
  const [found] = await connection.query<FoundSlot>(
    `select e.id as "seriesId", r.id, r.state, r.cause, r.late_ms as "lateMs", r.worker, now_ms() as now,
       exists (select 1 from run where series_id = e.id and slot > $3) as "isOlder", ${isEnded} as "isEnded"
     from (select 1) one left join (${findSeries}) e on true left join run r on r.series_id = e.id and r.slot = $3`,
    [account.id, dataset, slot],
  );
  if (!found) throw new Error("a query for one row returned none");
  if (found.state !== null && found.state !== "missed") return null;
  if (trigger === "schedule" && found.isEnded) return null;
  if (trigger === "schedule" && slot > found.now) return { aheadMs: slot - found.now };
  const seriesId = found.seriesId ?? (await storedSeriesId(account, dataset));
  const isScheduled = trigger === "schedule";
  const started = [startedAt - slot, worker, found.now + leaseMs];
  if (found.id !== null) {
    if (isScheduled) await advanceWatermark(connection, seriesId, slot);
    await connection.run(
      `update run set state = 'running', cause = null, requests = null, retries = null, rows = null,
         late_ms = $2, worker = $3, deadline = $4
       where id = $1`,
      [found.id, ...started],
    );
    chain.appendNote(["run", "missed", found.cause], found.id);
    await runReclaimed(connection, seriesId, slot);
    return found.id;
  }
  const [added] = await connection.query<{ id: number }>(
    `with advanced as (${advance} and $6)
     insert into run (series_id, slot, state, late_ms, worker, deadline) values ($1, $2, 'running', $3, $4, $5) returning id`,
    [seriesId, slot, ...started, isScheduled],
  );
  if (found.isOlder) await runAdded(connection, seriesId, slot);
  return added?.id ?? null;
}

/** Returns the id of the run that an earlier claim of this process began although its commit was not confirmed; null where it did not. */
export async function claimed(
  connection: Connection,
  name: string,
  { dataset, slot, startedAt, worker }: Claim,
): Promise<number | null> {
  const [found] = await connection.query<{ id: number }>(
    `select r.id from run r join series e on e.id = r.series_id join account a on a.id = e.account_id
     where a.name = $1 and e.dataset = $2 and r.slot = $3 and r.state = 'running' and r.late_ms = $4
       and r.worker is not distinct from $5`,
    [name, dataset, slot, startedAt - slot, worker],
  );
  return found?.id ?? null;
}

const advance = "update series set accounted_to = greatest(accounted_to, $2) where id = $1";

const advanceWatermark = (connection: Connection, seriesId: number, slot: number): Promise<number> =>
  connection.run(advance, [seriesId, slot]);

export async function hasRun(connection: Connection, name: string, dataset: DatasetName, slot: number) {
  const found = await connection.cells(
    `select 1 from run r join series e on e.id = r.series_id join account a on a.id = e.account_id
     where a.name = $1 and e.dataset = $2 and r.slot = $3`,
    [name, dataset, slot],
  );
  return found.length > 0;
}

const slotCells = (slots: readonly SeriesSlot[]) => [
  slots.map(({ account }) => account),
  slots.map(({ dataset }) => dataset),
  slots.map(({ slot }) => slot),
];

/**
 * Returns for each slot whether it has a row that keeps it from being claimed. Subqueries, and no joins: their plan, which is kept, uses
 * the indexes also where it was made for empty tables.
 */
export async function areTaken(connection: Connection, slots: readonly SeriesSlot[]): Promise<boolean[]> {
  const found = await connection.cells(
    `select (
       select state <> 'missed' from run where slot = given.slot and series_id = (
         select id from series where dataset = given.dataset and account_id = (
           select id from account where name = given.account)))
     from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as given(account, dataset, slot, place) order by place`,
    slotCells(slots),
  );
  return found.map(([isTaken]) => isTaken === true);
}

/** Returns whether each of the slots has a row with its final state. */
export async function areEnded(connection: Connection, slots: readonly SeriesSlot[]): Promise<boolean> {
  const [found] = await connection.cells(
    `select count(*) from unnest($1::text[], $2::text[], $3::bigint[]) as given(account, dataset, slot)
       join account a on a.name = given.account join series e on e.account_id = a.id and e.dataset = given.dataset
       join run r on r.series_id = e.id and r.slot = given.slot and r.state <> 'running'`,
    slotCells(slots),
  );
  return found?.[0] === slots.length;
}

interface ClosedSlot {
  id: number;
  slot: number;
  state: UnrunSlot["state"];
  cause: string;
}

/** Gives slots that will not be run any more their final row; those that have a row keep it. Does nothing once the schedule has ended. */
export async function closeSlots(account: LockedAccount, dataset: DatasetName, slots: readonly UnrunSlot[]) {
  const { connection } = account;
  const seriesId = await storedSeriesId(account, dataset);
  const ended = await connection.cells(`select 1 from series e where id = $1 and ${isEnded}`, [seriesId]);
  if (slots.length === 0 || ended.length > 0) return;
  const first = Math.min(...slots.map(({ slot }) => slot));
  const later = await connection.cells("select 1 from run where series_id = $1 and slot >= $2 limit 1", [
    seriesId,
    first,
  ]);
  const areNewest =
    later.length === 0 && slots.every(({ slot }, at) => isDueSlot(slot) && slot > (slots[at - 1]?.slot ?? 0));
  if (areNewest) {
    const [newest, ...rest] = (await insertClosed(account, seriesId, dataset, slots)).map((run) => ({
      ...run,
      seriesId,
    }));
    if (newest) await newestClosed(connection, [newest, ...rest]);
  } else {
    for (const slot of slots)
      for (const run of await insertClosed(account, seriesId, dataset, [slot])) {
        await runAdded(connection, seriesId, run.slot);
        await runEnded(connection, { ...run, seriesId });
      }
  }
  await advanceWatermark(connection, seriesId, Math.max(...slots.map(({ slot }) => slot)));
}

/** Adds the slots that have no row yet, and their links. Returns them in their order. */
async function insertClosed(
  { connection, name, chain }: LockedAccount,
  seriesId: number,
  dataset: DatasetName,
  slots: readonly UnrunSlot[],
): Promise<ClosedSlot[]> {
  const added = await connection.query<ClosedSlot>(
    `insert into run (series_id, slot, state, cause, requests, retries, rows)
     select $1, slot, state, cause, 0, 0, 0
     from unnest($2::bigint[], $3::text[], $4::text[]) with ordinality as given(slot, state, cause, ordinality)
     where not exists (select 1 from run r where r.series_id = $1 and r.slot = given.slot)
     order by ordinality returning id, slot, state, cause`,
    [seriesId, slots.map(({ slot }) => slot), slots.map(({ state }) => state), slots.map(({ cause }) => cause)],
  );
  for (const { id, slot, state, cause } of added)
    chain.appendRun(id, [id, name, dataset, slot, state, cause, null, null, 0, 0, 0, null, null, null], []);
  return added;
}

/** Returns a run; null where there is none with this id. */
export async function findRun(connection: Connection, id: number): Promise<RecordedRun | null> {
  const [found] = await connection.query<RecordedRun>(
    `select r.id, r.series_id as "seriesId", a.name as account, e.dataset, r.slot, r.state, r.late_ms as "lateMs", r.worker
     from run r join series e on e.id = r.series_id join account a on a.id = e.account_id where r.id = $1`,
    [id],
  );
  return found ?? null;
}

/** Stores the end of a run, and the last good snapshots of its scopes. */
export async function endRun(
  connection: Connection,
  row: RunRow,
  latest: readonly { scopeId: number; snapshotId: number }[] = [],
): Promise<void> {
  const { id, state, cause, tookMs, requests, retries, rows, spreadMs, skewMs } = row;
  await connection.run(
    `with latest as (
       update scope set latest = given.latest from unnest($10::bigint[], $11::bigint[]) as given(id, latest)
       where scope.id = given.id)
     update run set state = $2, cause = $3, took_ms = $4, requests = $5, retries = $6, rows = $7, spread_ms = $8,
       skew_ms = $9, deadline = null
     where id = $1`,
    [
      ...[id, state, cause, tookMs, requests, retries, rows, spreadMs, skewMs],
      latest.map(({ scopeId }) => scopeId),
      latest.map(({ snapshotId }) => snapshotId),
    ],
  );
}

/** Returns the cells of a run with its end, in the order of `runColumns`. */
export const endedCells = (run: RecordedRun, end: RunRow): RunCells => [
  ...[run.id, run.account, run.dataset, run.slot, end.state, end.cause, run.lateMs, end.tookMs],
  ...[end.requests, end.retries, end.rows, end.spreadMs, end.skewMs, run.worker],
];

/** Fails a run whose process is gone, if it is still `running`. How long it took stays unknown. Returns whether it was. */
export async function abandon(account: LockedAccount, runId: number, cause: string): Promise<boolean> {
  const { connection, chain } = account;
  const run = await findRun(connection, runId);
  if (run?.state !== "running") return false;
  const end: RunRow = {
    ...{ id: runId, state: "failed", cause, tookMs: null, requests: null, retries: null, rows: 0 },
    ...{ spreadMs: null, skewMs: null },
  };
  await endRun(connection, end);
  chain.appendRun(runId, endedCells(run, end), []);
  await runEnded(connection, { seriesId: run.seriesId, slot: run.slot, state: end.state, cause });
  return true;
}

/** Runs past their deadline for this long belong to a process that is gone. Milliseconds. */
const graceMs = 10_000;

/** Returns the runs whose process is gone: those past their deadline, and with `worker` those of an earlier process of this name. */
export const findCrashed = (
  connection: Connection,
  worker: string | null,
): Promise<{ id: number; account: string }[]> =>
  connection.query(
    `select r.id, a.name as account from run r join series e on e.id = r.series_id join account a on a.id = e.account_id
     where r.state = 'running' and (r.deadline is null or r.deadline + $2 < now_ms() or r.worker = $1) order by r.id`,
    [worker, graceMs],
  );
