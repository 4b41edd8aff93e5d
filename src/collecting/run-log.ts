/** What the log says of a run: a line when it has ended, and news about the fields of its answers. */
import type { FailedSnapshot, RecordBatch, Snapshot } from "../core/domain.ts";
import { namesByText, visible } from "../core/text.ts";
import type { RunOutcome } from "../store/store.ts";
import type { RunContext } from "./run-context.ts";

/** Logs a run that has ended: one line, and what is new about its responses. `finishedAt`: epoch ms. */
export function logRun(
  run: RunContext,
  outcome: RunOutcome,
  snapshots: readonly (Snapshot | RecordBatch)[],
  finishedAt: number,
): void {
  logEnd(run, outcome, snapshots, finishedAt);
  logRecords(run, outcome, snapshots);
  logFields(run, snapshots);
}

function logEnd(
  { dataset, session, slot, tally, startedAt, deps }: RunContext,
  { state, failures }: RunOutcome,
  snapshots: readonly Snapshot[],
  finishedAt: number,
): void {
  const items = snapshots.reduce((count, snapshot) => count + snapshot.items.length, 0);
  const ms = Math.round(finishedAt - startedAt);
  const failed = describeFailures(failures);
  const fields = {
    account: session.name,
    dataset: dataset.name,
    slot: new Date(slot).toISOString(),
    state,
    items,
    ...tally,
    ms,
    ...(failed.length === 0 ? {} : { failed }),
  };
  const what =
    state === "skipped"
      ? "this kind of account has no such data"
      : [`${items} items, ${tally.requests} requests, ${ms} ms`, ...failed].join("; ");
  deps.log[failed.length === 0 ? "info" : "error"](fields, `${session.name} ${dataset.name} ${state}: ${what}`);
}

/** The log names no more ids than this. */
const maxIds = 10;

/** Logs what a run of an incremental dataset found deleted before it was read, and which records have changed. */
function logRecords(
  { dataset, session, deps }: RunContext,
  { changed = [] }: RunOutcome,
  snapshots: readonly (Snapshot | RecordBatch)[],
): void {
  const fields = { account: session.name, dataset: dataset.name };
  const text = (instant: number) => new Date(instant).toISOString();
  for (const one of snapshots) {
    const hole = "reading" in one ? one.reading.hole : null;
    if (hole === null) continue;
    const what = one.scope === null ? dataset.name : `${dataset.name} of ${one.scope}`;
    const { from, to } = hole;
    if (from === 0)
      deps.log.info({ ...fields, scope: one.scope }, `${what} begin at ${text(to)}: the exchange has no older ones`);
    else
      deps.log.warn(
        { ...fields, scope: one.scope, from: text(from), to: text(to) },
        `${what} between ${text(from)} and ${text(to)} were not read in time; the exchange no longer has them`,
      );
  }
  if (changed.length === 0) return;
  const ids = changed.slice(0, maxIds);
  deps.log.warn(
    { ...fields, records: changed.length, ids },
    `the exchange sent ${changed.length} ${dataset.name} with another content than before; both are stored: ${ids.join(", ")}`,
  );
}

/** Longer names of unknown fields are cut in the log. Characters. */
const maxNameLength = 100;

/** The log names no more fields than this. */
const maxFields = 200;

/** Logs, once each, the fields that the exchange has begun to send, which are kept, or to leave out, which are unknown. */
function logFields({ dataset, missingFields, deps }: RunContext, snapshots: readonly Snapshot[]): void {
  const unknown = snapshots.flatMap(({ items }) => items.flatMap(({ extra }) => Object.keys(extra ?? {})));
  const warn = (name: string, says: (name: string) => string) => {
    const field = visible(name).slice(0, maxNameLength);
    const what = says(`${dataset.name}.${field}`);
    if (deps.reportedFields.has(what) || deps.reportedFields.size >= maxFields) return;
    deps.reportedFields.add(what);
    const isLast = deps.reportedFields.size === maxFields;
    deps.log.warn({ dataset: dataset.name, field }, isLast ? `${what}; further fields are not named` : what);
  };
  for (const name of new Set(unknown))
    warn(name, (field) => `the exchange sends a field nobody knows yet: ${field}; kept in "extra"`);
  for (const name of missingFields)
    warn(name, (field) => `the exchange leaves out a field that it should send: ${field}; unknown where it is missing`);
}

/** Scopes that failed alike are named together. */
function describeFailures(failures: readonly FailedSnapshot[]): string[] {
  const said = failures.map(({ scope, code, message }) => [`${code} ${message}`, scope] as const);
  return namesByText(said).map(([problem, names]) =>
    names.length === 0 ? problem : `${names.join(", ")}: ${problem}`,
  );
}
