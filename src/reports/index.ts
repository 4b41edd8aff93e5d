/** Lists all reports. A new report is a file and a line here. */
import { balances } from "./balances.ts";
import { changes } from "./changes.ts";
import { coverage } from "./coverage.ts";
import { episodes } from "./episodes.ts";
import { equity } from "./equity.ts";
import { positions } from "./positions.ts";
import type { Report } from "./report.ts";

export const reports: readonly Report[] = [balances, positions, episodes, equity, changes, coverage];

/** Returns the report of that name; undefined if there is none. */
export const reportNamed = (name: string): Report | undefined => reports.find((one) => one.name === name);
