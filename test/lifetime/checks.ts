/** Checks at the end of a simulation. Each returns one sentence per violation. */
import { createHash } from "node:crypto";
import Database from "better-sqlite3";
import { datasets } from "../../src/datasets/index.ts";
import { verify } from "../../src/store/verify/verify.ts";
import { violations } from "../faults/invariants.ts";
import { iso } from "../scenarios/month/truth.ts";
import { snapshotNames, viewOf } from "../support/declared.ts";
import { allSeries, type ExpectedRuns, nameOf } from "./expected.ts";
import { wrongReports } from "./reports.ts";
import { wrongRows } from "./rows.ts";
import type { Simulation } from "./simulate.ts";

export interface Check {
  promise: string;
  /** One sentence per violation; empty where the promise holds. */
  problems: readonly string[];
  /** How much was compared. */
  extent: string;
}

interface Run {
  account: string;
  dataset: string;
  slot: number;
  state: string;
  cause: string | null;
}

/** What the comparison of stored data needs. */
export type Stored = Pick<Simulation, "path" | "expected" | "served" | "upgraded">;

/** Compares the database with what was done to the collector and sent by the exchange, independently of the program. */
export const compare = (simulation: Simulation): Check[] => [...compareStored(simulation), wrongReports(simulation)];

/** Likewise, without reports. */
export function compareStored(simulation: Stored): Check[] {
  const database = new Database(simulation.path, { readonly: true });
  try {
    return [ledger(database, simulation.expected), rowsOfFailedRuns(database), wrongRows(database, simulation)];
  } finally {
    database.close();
  }
}

/** Checks the database by itself: `db verify` and the invariants of the fault suite. */
export const inspect = async ({ path }: Pick<Simulation, "path">): Promise<Check[]> => [
  await verified(path),
  { promise: "the invariants of the fault suite hold", problems: await violations(path, []), extent: "nothing amiss" },
];

function ledger(database: Database.Database, expected: ExpectedRuns): Check {
  const problems: string[] = [];
  const open = new Map(allSeries.map((one) => [nameOf(one), new Map(expected.outcomes.get(nameOf(one)))]));
  const runs = database.prepare<[], Run>("select account, dataset, scheduled_for_ms as slot, state, cause from runs");
  let count = 0;
  for (const { account, dataset, slot, state, cause } of runs.iterate()) {
    count += 1;
    const slots = open.get(`${account} ${dataset}`);
    const outcome = slots?.get(slot);
    const run = `${account} ${dataset} ${iso(slot)}: ${state} (${cause})`;
    if (!outcome) problems.push(`${run} was not due, or is there twice`);
    else if (outcome.state !== state || !outcome.causes.includes(cause))
      problems.push(`${run}, and must be ${outcome.state} (${outcome.causes.join(" or ")})`);
    slots?.delete(slot);
  }
  for (const [name, slots] of open) for (const slot of slots.keys()) problems.push(`${name} ${iso(slot)} has no row`);
  return { promise: "every due slot has one row, with the end it must have", problems, extent: `${count} slots` };
}

function rowsOfFailedRuns(database: Database.Database): Check {
  const problems: string[] = [];
  let count = 0;
  for (const dataset of snapshotNames) {
    const strays = database
      .prepare<[], { id: number; account: string; slot: string; state: string }>(
        `select h.snapshot_id as id, r.account, r.scheduled_for as slot, r.state from ${viewOf(dataset)} h
         left join snapshots s using (snapshot_id) left join runs r using (run_id)
         where s.state is not 'ok' or r.state not in ('ok', 'partial') group by 1`,
      )
      .all();
    for (const { account, slot, state } of strays)
      problems.push(`${account} ${dataset} ${slot} is ${state} and has rows`);
    count += Number(
      database
        .prepare("select count(*) from runs where dataset = ? and state not in ('ok', 'partial')")
        .pluck()
        .get(dataset),
    );
  }
  return { promise: "no row belongs to a slot that failed or was missed", problems, extent: `${count} such slots` };
}

async function verified(path: string): Promise<Check> {
  const { problems, due, accounted, runs, rows } = await verify(path, datasets);
  const open = due === accounted ? [] : [`${due} slots were due, ${accounted} are accounted for`];
  return {
    promise: "db verify holds, with every slot accounted for",
    problems: [...problems.map((problem) => JSON.stringify(problem)), ...open],
    extent: `${runs} runs, ${rows} rows`,
  };
}

/**
 * Returns a digest of all data and its times, without ids and retry counts: the order in which runs of one slot end, and
 * which of several requests the exchange refused, depend on the machine.
 */
export function digestOf(path: string): string {
  const database = new Database(path, { readonly: true });
  const hash = createHash("sha256");
  const add = (sql: string) => {
    for (const row of database.prepare<[], unknown[]>(sql).raw().iterate()) hash.update(JSON.stringify(row));
  };
  try {
    add("select account, dataset, scheduled_for_ms, state, cause, rows from runs order by 1, 2, 3");
    // Concurrent requests reach the exchange in any order, so the times of failures vary; slots do not.
    add(
      `select s.account, s.dataset, s.product_type, iif(s.state = 'ok', s.taken_at_ms, r.scheduled_for_ms),
         s.state, s.rows, s.error_code
       from snapshots s join runs r using (run_id) order by 1, 2, 3, 4, 5`,
    );
    for (const view of snapshotNames.map(viewOf)) {
      const columns = database
        .prepare<[], { name: string }>(
          `select name from pragma_table_info('${view}') where name not in ('snapshot_id', 'run_id')`,
        )
        .all()
        .map(({ name }) => name);
      add(`select ${columns.join()} from ${view} order by ${columns.map((_, at) => at + 1).join()}`);
    }
    return hash.digest("hex");
  } finally {
    database.close();
  }
}
