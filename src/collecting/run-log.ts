/** Writes the log lines of a run: one when it has ended, and one for each new or missing field of its responses. */
import type { FailedSnapshot, RecordBatch, Snapshot } from "../core/domain.ts";
import { escapeControlChars, namesByText } from "../core/text.ts";
import type { RunOutcome } from "../store/store.ts";
import type { RunContext } from "./run-context.ts";

/** Logs a run that has ended, and what is new about its responses. `finishedAt`: epoch ms. */
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
      ? "not available for this kind of account"
      : [`${items} items, ${tally.requests} requests, ${ms} ms`, ...failed].join("; ");
  deps.log[failed.length === 0 ? "info" : "error"](fields, `${session.name} ${dataset.name} ${state}: ${what}`);
}

/** At most this many ids are logged. */
const maxIds = 10;

/** Logs which records of an incremental dataset were deleted before they were read, and which have changed. */
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
    `the exchange sent ${changed.length} ${dataset.name} with changed content; both versions are stored: ${ids.join(", ")}`,
  );
}

/** Names of unknown fields are truncated to this length in the log. Characters. */
const maxNameLength = 100;

/** At most this many fields are logged. */
const maxFields = 200;

/** Logs, once each, fields that the exchange has begun to send (they are kept) or to omit (they are unknown). */
function logFields({ dataset, missingFields, deps }: RunContext, snapshots: readonly Snapshot[]): void {
  const unknown = snapshots.flatMap(({ items }) => items.flatMap(({ extra }) => Object.keys(extra ?? {})));
  const warn = (name: string, messageOf: (name: string) => string) => {
    const field = escapeControlChars(name).slice(0, maxNameLength);
    const what = messageOf(`${dataset.name}.${field}`);
    if (deps.reportedFields.has(what) || deps.reportedFields.size >= maxFields) return;
    deps.reportedFields.add(what);
    const isLast = deps.reportedFields.size === maxFields;
    deps.log.warn({ dataset: dataset.name, field }, isLast ? `${what}; further fields are not logged` : what);
  };
  for (const name of new Set(unknown))
    warn(name, (field) => `the exchange sends an unknown field: ${field}; it is kept in "extra"`);
  for (const name of missingFields)
    warn(name, (field) => `the exchange omits a documented field: ${field}; it is unknown`);
}

/** Returns a text for each distinct failure, with the scopes that had it. */
function describeFailures(failures: readonly FailedSnapshot[]): string[] {
  const texts = failures.map(({ scope, code, message }) => [`${code} ${message}`, scope] as const);
  return namesByText(texts).map(([problem, names]) =>
    names.length === 0 ? problem : `${names.join(", ")}: ${problem}`,
  );
}
