/** A report as CSV text, in pieces, for whoever writes them. */
import { setImmediate } from "node:timers/promises";
import { csvLine } from "./csv.ts";
import type { Span } from "./days.ts";
import { headOf, type Report, type Source } from "./report.ts";

/** Reading goes on for so long before others have their turn, such as a commit that waits. Milliseconds. */
const turnMs = 5;

/** The first piece begins with the names of the columns. */
export async function* csvOf(report: Report, source: Source, span: Span): AsyncGenerator<string, void> {
  let text = csvLine(headOf(report, span));
  let begun = performance.now();
  for (const row of report.rows(source, span)) {
    if (row) text += csvLine(row);
    if (performance.now() - begun < turnMs) continue;
    if (text !== "") yield text;
    text = "";
    await setImmediate();
    begun = performance.now();
  }
  if (text !== "") yield text;
}
