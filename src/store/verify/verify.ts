/** Reads a whole database and reports every difference from what was received. */
import Database from "better-sqlite3";
import { cooperate, pause, type Steps } from "../../core/async/cooperate.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import { genesis } from "../chain/chain.ts";
import { outdatedAccounts } from "../read/ledger/rules.ts";
import { layoutOf } from "../schema/storage-layout.ts";
import { openReadOnly, type Sqlite } from "../sqlite/database.ts";
import { checkChains } from "./check-chain.ts";
import { checkEpisodes } from "./check-episodes.ts";
import { checkGaps } from "./check-gaps.ts";
import { checkPruned } from "./check-pruned.ts";
import { recordContents } from "./check-records.ts";
import { checkRuns, checkScopes, checkSlots, type SlotTotals } from "./check-runs.ts";
import { checkItems, checkScope, itemContents, scopesOf } from "./check-snapshots.ts";
import { checkLedger } from "./ledger/check-ledger.ts";
import { checkPositions } from "./ledger/check-positions.ts";
import type { Report } from "./problem.ts";

/** The result of a verification. */
export interface Verification extends SlotTotals {
  /** The first twenty problems in the order of their slots, one sentence each; empty if nothing was altered. */
  problems: string[];
  runs: number;
  snapshots: number;
  /** Pruned snapshots, of which only the digest is kept. */
  pruned: number;
  /** Snapshots that were corrected from their raw responses, as noted in the chain. Investigate if you made no correction. */
  corrected: number;
  /** Accounts whose ledger was reconciled by the rules of another version, so that its verdicts are not compared. They are no problem. */
  outdated: string[];
  /** Rows in the history views. */
  rows: number;
  /**
   * The last link of each chain. Keep them elsewhere to prove later that nothing up to them was altered. There is one, unless each
   * account has a chain of its own.
   */
  heads: ChainHead[];
}

/** The last link of a chain. */
export interface ChainHead {
  /** The account whose chain it is; null for the chain of the whole file. */
  account: string | null;
  /** SHA-256 in hex. */
  digest: string;
}

const maxProblems = 20;
/** Verification yields to the event loop after this time. Milliseconds. */
const turnMs = 10;

/**
 * Verifies the chain, recomputes the digest of every snapshot from the stored rows, enumerates the slots that were due, and checks
 * counts, pages, foreign keys and the run ledger. `onProgress` is called with the number of links and snapshots verified so far, and
 * their total. The daemon may keep running. @throws ConfigError if there is no database of this program
 */
export async function verify(
  path: string,
  datasets: readonly AnyDataset[],
  onProgress?: (done: number, total: number) => void,
): Promise<Verification> {
  const sqlite = openReadOnly(path);
  const problems = createProblems();
  const found: Verification = {
    problems: [],
    runs: 0,
    snapshots: 0,
    pruned: 0,
    corrected: 0,
    outdated: [],
    rows: 0,
    due: 0,
    accounted: 0,
    heads: [],
  };
  try {
    sqlite.exec("begin");
    const count = (query: string) => Number(sqlite.prepare(query).pluck().get());
    found.runs = count("select count(*) from run");
    found.snapshots = count("select count(*) from snapshot");
    found.pruned = count("select count(*) from pruned");
    found.corrected = count(`select count(*) from link where note like '["corrected",%'`);
    found.outdated = outdatedAccounts(sqlite);
    found.rows = count("select coalesce(sum(rows), 0) from snapshot");
    const total = found.snapshots + count("select count(*) from link");
    checkPages(sqlite, problems.report);
    let done = 0;
    const progress: Progress = {
      onHeads: (heads) => {
        found.heads = chainHeads(sqlite, heads);
      },
      onStep: () => {
        done += 1;
      },
    };
    const onTurn = () => onProgress?.(done, total);
    await cooperate(checks(sqlite, datasets, problems.report, { ...progress, outdated: found.outdated }), {
      turnMs,
      onTurn,
    });
    checkRuns(sqlite, problems.report);
    checkScopes(sqlite, problems.report);
    Object.assign(found, checkSlots(sqlite, problems.report));
    onProgress?.(done, total);
  } catch (error) {
    // A page that cannot be read ends the verification; it is a problem of the database, not an error of this program.
    if (!(error instanceof Database.SqliteError)) throw error;
    problems.report(`reading ended early: ${error.message}`);
  } finally {
    sqlite.close();
  }
  return { ...found, problems: problems.first() };
}

interface Progress {
  /** Called with the heads of the chains when their ends are reached. */
  onHeads(heads: ReadonlyMap<number, Buffer>): void;
  /** Called after each link and each snapshot. */
  onStep(): void;
}

interface ChecksOptions extends Progress {
  /** Accounts whose reconciliation is not compared. */
  outdated: readonly string[];
}

function chainHeads(sqlite: Sqlite, heads: ReadonlyMap<number, Buffer>): ChainHead[] {
  if (heads.size === 0) return [{ account: null, digest: genesis.toString("hex") }];
  const find = sqlite.prepare<[number], string>("select name from account where id = ?").pluck();
  return [...heads]
    .sort(([one], [other]) => one - other)
    .map(([chain, digest]) => ({ account: find.get(chain) ?? null, digest: digest.toString("hex") }));
}

/** Runs the checks that read everything. */
function* checks(
  sqlite: Sqlite,
  datasets: readonly AnyDataset[],
  reportProblem: Report,
  { onHeads, onStep, outdated }: ChecksOptions,
): Steps<void> {
  let isAllSound = true;
  const report: Report = (...problem) => {
    isAllSound = false;
    reportProblem(...problem);
  };
  onHeads(yield* checkChains(sqlite, report, onStep));
  const ofSnapshots = datasets.filter((one) => one.mode === "snapshot");
  for (const dataset of ofSnapshots) {
    checkItems(sqlite, layoutOf(dataset), report);
    yield pause;
  }
  const unsound = new Set<string>();
  for (const scope of scopesOf(sqlite)) {
    const dataset = datasets.find(({ name }) => name === scope.dataset);
    if (!dataset) {
      report(`${scope.dataset} (series.dataset): no such dataset in this program`);
      continue;
    }
    const series = `${scope.account} ${scope.dataset}`;
    let isSound = true;
    const reportUnsound: Report = (...problem) => {
      isSound = false;
      unsound.add(series);
      report(...problem);
    };
    const contents =
      dataset.mode === "incremental"
        ? recordContents(sqlite, dataset, scope.id, reportUnsound)
        : itemContents(sqlite, layoutOf(dataset), scope.id, reportUnsound);
    yield* checkScope(sqlite, scope, contents, reportUnsound, onStep);
    // Episodes follow from the history: if that was altered, they would only repeat the problem.
    if (isSound && dataset.mode === "snapshot" && dataset.episodes) yield* checkEpisodes(sqlite, scope, report);
  }
  yield* checkPruned(sqlite, ofSnapshots, unsound, report);
  // Likewise, the reconciliation follows from records and snapshots.
  if (isAllSound && datasets.some((one) => one.mode === "incremental" && one.isLedger))
    yield* checkLedger(sqlite, report, outdated);
  // Results of positions follow from all of that.
  if (isAllSound && datasets.some((one) => one.mode === "incremental" && one.endsEpisodes))
    yield* checkPositions(sqlite, report, outdated);
  // Gaps follow from the runs: if those were altered, they would only repeat the problem.
  if (isAllSound) yield* checkGaps(sqlite, report);
}

/** Collects problems and keeps the first by slot; those without a slot come first. */
function createProblems() {
  let all: { problem: string; slot: number }[] = [];
  let count = 0;
  const report: Report = (problem, slot = Number.NEGATIVE_INFINITY) => {
    count += 1;
    all.push({ problem, slot });
    if (all.length > 1000) cut();
  };
  const cut = () => {
    all = all.sort((one, other) => (one.slot < other.slot ? -1 : Number(one.slot > other.slot))).slice(0, maxProblems);
  };
  const first = (): string[] => {
    cut();
    const sentences = all.map(({ problem, slot }) => (Number.isFinite(slot) ? `${instant(slot)} ${problem}` : problem));
    return count > all.length ? [...sentences, `and ${count - all.length} more`] : sentences;
  };
  return { report, first };
}

/** Returns a slot as ISO 8601; an altered slot may not be a valid time. */
const instant = (slot: number): string => (Math.abs(slot) <= 8.64e15 ? new Date(slot).toISOString() : `slot ${slot}`);

function checkPages(sqlite: Sqlite, report: Report): void {
  for (const { integrity_check: result } of sqlite.pragma("integrity_check(5)") as { integrity_check: string }[]) {
    if (result !== "ok") report(`integrity_check: ${result}`);
  }
  for (const { table, parent } of sqlite.pragma("foreign_key_check") as { table: string; parent: string }[]) {
    report(`${table}: a row refers to a missing row of ${parent}`);
  }
}
