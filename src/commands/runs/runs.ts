import { runStates } from "../../core/domain.ts";
import type { Command } from "../command.ts";
import { choiceOf } from "../shared/option.ts";
import { type ListColumn, listOptions, printList } from "./listing.ts";

const columns: readonly ListColumn[] = [
  { name: "account" },
  { name: "dataset" },
  { name: "scheduled_for", isTime: true },
  { name: "state" },
  ...["cause", "late_ms", "requests", "retries", "rows"].map((name) => ({ name, isOptional: true }) as const),
];

export const runsCommand: Command = {
  examples: [
    "runs --from -1h",
    "runs --state failed --from -7d",
    "runs --account main --dataset positions --limit 20",
    "runs --from yesterday --to today --format csv",
  ],
  details: [
    "Each due slot has one row, also one that was not run: ok, partial, failed, missed, skipped, or running. `cause` says why.",
    "The rows of the view `runs`, the newest last.",
  ],
  options: [{ flags: "--state <state>", summary: `only these: ${runStates.join(", ")}` }, ...listOptions],
  onPostgres: "mirror",
  isPaged: () => true,
  async run(input) {
    await printList("runs", columns, input, choiceOf(input.options, "state", runStates));
    return 0;
  },
};
