/** Writes the books in the import format of a tax program, and counts what the format cannot say. */

import type { Paced } from "../../core/async/cooperate.ts";
import { pause } from "../../core/async/cooperate.ts";
import { csvLine } from "../../output/csv.ts";
import type { Source } from "../../queries/source.ts";
import type { Span } from "../../store/history.ts";
import { entryCells, entryColumns } from "../books/entry.ts";
import { bittytax } from "./bittytax.ts";
import { cointracker } from "./cointracker.ts";
import { type BookEvent, isLeftOut } from "./event.ts";
import { eventsOf } from "./events.ts";
import type { Format } from "./format.ts";
import { koinly } from "./koinly.ts";

export const formats: readonly Format[] = [koinly, cointracker, bittytax];

/** What a file does not say. */
export class Omissions {
  readonly #lines: string[] = [csvLine(["reason", ...entryColumns])];
  readonly #counts = new Map<string, number>();

  /** Counts an event that is in the file without a word for what it is. */
  untagged({ kind, type }: BookEvent): void {
    this.#count(`Without a tag, because the format has none for it: ${kind}, ${type || "no type"}`);
  }

  leftOut({ reason, entries }: { reason: string; entries: readonly Parameters<typeof entryCells>[0][] }): void {
    for (const entry of entries) {
      this.#lines.push(csvLine([reason, ...entryCells(entry)]));
      this.#count(`Not in the file: ${reason}`);
    }
  }

  /** Returns lines such as "Not in the file: no balance changed (3 entries)"; empty if the file says everything. */
  sentences(): string[] {
    const all = [...this.#counts].sort(([one], [other]) => (one < other ? -1 : 1));
    return all.map(([what, count]) => `${what} (${count} ${count === 1 ? "entry" : "entries"})`);
  }

  /** Returns the entries that are not in the file as CSV; null if there are none. */
  csv(): string | null {
    return this.#lines.length > 1 ? this.#lines.join("") : null;
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }
}

/** Deposits and withdrawals need no tag: what is received and sent without one is that. */
const plain = new Set(["trade", "deposit", "withdrawal", "transfer"]);

/** Yields the file, line by line, and adds to `omissions` what it does not say. */
export function* linesFor(format: Format, source: Source, span: Span, omissions: Omissions): Paced<string> {
  yield csvLine(format.header);
  for (const one of eventsOf(source, span)) {
    if (isLeftOut(one)) omissions.leftOut(one);
    else {
      if (!plain.has(one.kind) && format.wordOf(one) === null) omissions.untagged(one);
      yield csvLine(format.cells(one));
    }
    yield pause;
  }
}
