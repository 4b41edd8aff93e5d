/** Defines the table of runs, newest first, by state. */
import { publicAccount } from "../../../core/domain.ts";
import { instantText } from "../../../queries/close.ts";
import { type RunFilter, runFilters } from "../../../store/history.ts";
import { badRequest } from "../../site.ts";
import { count, type DataTable, duration, instant, text, type View } from "../table.ts";
import { describeFailure } from "./collection.ts";

const maxRuns = 1000;

/** Returns the filter of the parameter `state`; "all" without one. @throws HTTPException 400 */
export function runFilterOf({ params }: Pick<View, "params">): RunFilter {
  const { state = "all" } = params;
  const found = runFilters.find((one) => one === state);
  if (!found) throw badRequest(`"state" must be one of ${runFilters.join(", ")}.`);
  return found;
}

export const runs: DataTable = {
  name: "runs",
  summary:
    "the newest 1,000 runs (for an instant those that had ended by then), `state` is ok, partial, failed, missed, skipped, late or retried; partial, late and retried among the newest 100,000",
  columns: [
    instant("slot", "Slot"),
    text("account", "Account"),
    text("dataset", "Dataset"),
    text("state", "State"),
    duration("late_ms", "Late"),
    duration("took_ms", "Took"),
    count("requests", "Requests"),
    count("retries", "Retries"),
    count("rows", "Rows"),
    text("error", "Reason"),
  ],
  *rows(view) {
    const { history, account, at } = view;
    const accounts = account === null ? [...history.accounts(), publicAccount] : [account, publicAccount];
    for (const run of history.runs({ accounts, filter: runFilterOf(view), at, limit: maxRuns })) {
      const { state, cause, messages } = run;
      yield {
        slot: instantText(run.slot),
        account: run.account,
        dataset: run.dataset,
        state,
        late_ms: bigintOf(run.lateMs),
        took_ms: bigintOf(run.tookMs),
        requests: bigintOf(run.requests),
        retries: bigintOf(run.retries),
        rows: bigintOf(run.rows),
        error: state === "ok" ? null : describeFailure({ slot: run.slot, state, cause, messages: [...messages] }),
      };
    }
  },
};

const bigintOf = (value: number | null): bigint | null => (value === null ? null : BigInt(value));
