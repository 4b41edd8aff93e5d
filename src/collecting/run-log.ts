/** What the log says of a run: a line when it has ended, and news about the fields of its answers. */
import type { FailedSnapshot, Snapshot } from "../core/domain.ts";
import { visible } from "../core/text.ts";
import type { RunOutcome } from "../store/store.ts";
import type { Job } from "./run-context.ts";

/** One line per run. */
export function report(job: Job, { state, failures }: RunOutcome, snapshots: readonly Snapshot[], took: number): void {
  const { dataset, session, slot, tally, tools } = job;
  const items = snapshots.reduce((count, snapshot) => count + snapshot.items.length, 0);
  const ms = Math.round(took);
  const failed = inWords(failures);
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
  tools.log[failed.length === 0 ? "info" : "error"](fields, `${session.name} ${dataset.name} ${state}: ${what}`);
}

/** Of a field that nobody knows; what is longer is cut in the log. Characters. */
const longestName = 100;

/** So many fields are named in the log; whoever sends more does not send news. */
const mostFields = 200;

/** The exchange has begun to send something new, which is kept, or to leave something out, which is unknown: each is said once. */
export function reportFields({ dataset, missing, tools }: Job, snapshots: readonly Snapshot[]): void {
  const unknown = snapshots.flatMap(({ items }) => items.flatMap(({ extra }) => Object.keys(extra ?? {})));
  const report = (name: string, says: (name: string) => string) => {
    const field = visible(name).slice(0, longestName);
    const what = says(`${dataset.name}.${field}`);
    if (tools.reportedFields.has(what) || tools.reportedFields.size >= mostFields) return;
    tools.reportedFields.add(what);
    const isLast = tools.reportedFields.size === mostFields;
    tools.log.warn({ dataset: dataset.name, field }, isLast ? `${what}; further fields are not named` : what);
  };
  for (const name of new Set(unknown))
    report(name, (field) => `the exchange sends a field nobody knows yet: ${field}; kept in "extra"`);
  for (const name of missing)
    report(
      name,
      (field) => `the exchange leaves out a field that it should send: ${field}; unknown where it is missing`,
    );
}

/** Scopes that failed alike are named together. */
function inWords(failures: readonly FailedSnapshot[]): string[] {
  const scopes = new Map<string, string[]>();
  for (const { scope, code, message } of failures) {
    const problem = `${code} ${message}`;
    scopes.set(problem, [...(scopes.get(problem) ?? []), ...(scope === null ? [] : [scope])]);
  }
  return [...scopes].map(([problem, names]) => (names.length === 0 ? problem : `${names.join(", ")}: ${problem}`));
}
