import type { Command } from "../command.ts";
import { type ListColumn, listOptions, printList } from "./listing.ts";

const columns: readonly ListColumn[] = [
  ...["account", "dataset"].map((name) => ({ name })),
  { name: "product_type", isOptional: true },
  { name: "from_at", isTime: true },
  { name: "to_at", isTime: true },
  ...["slots", "cause"].map((name) => ({ name })),
  { name: "rebuilt", isOptional: true },
];

export const gapsCommand: Command = {
  examples: [
    "gaps",
    "gaps --from -30d --account main",
    "gaps --dataset positions --timezone Europe/Berlin",
    "gaps --from 2026-11 --format csv",
  ],
  details: [
    "Neighbouring slots without a good snapshot and with the same cause are one row: the first and the last of them, and their number.",
    "`rebuilt` is 1 where the exchange's ledger proves every balance of the stretch. The rows of the view `gaps`, the newest last.",
  ],
  options: listOptions,
  onPostgres: "mirror",
  isPaged: () => true,
  async run(input) {
    await printList("gaps", columns, input);
    return 0;
  },
};
