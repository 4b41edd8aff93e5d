/** Says below a table which of its figures are not known, and why, so that its cells need no words. */
import { html } from "hono/html";
import { escapeControlChars } from "../../../core/text.ts";
import { withCodeNamed } from "../../../output/labels.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { type Html, unknownMark } from "./figure.ts";

interface CountedColumn {
  label: string;
  cell(row: HistoryRow): Html;
}

/** The most reasons that a note names. */
const maxReasons = 4;

/** Counts the figures of a table that are marked as unknown, for a note below it. */
export class Unknowns {
  readonly #reasonOf: (row: HistoryRow) => string | null;
  readonly #counts = new Map<string, number>();
  readonly #reasons = new Set<string>();

  constructor(reasonOf: (row: HistoryRow) => string | null) {
    this.#reasonOf = reasonOf;
  }

  /** Returns columns whose cells are counted when they are rendered. */
  counted<Column extends CountedColumn>(columns: readonly Column[]): Column[] {
    return columns.map((column) => ({
      ...column,
      cell: (row) => {
        const cell = column.cell(row);
        if (String(cell).includes(String(unknownMark()))) this.#add(column.label, row);
        return cell;
      },
    }));
  }

  #add(label: string, row: HistoryRow): void {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1);
    const reason = this.#reasonOf(row);
    if (reason !== null) this.#reasons.add(reason);
  }

  /** Returns what is not known, and why; nothing if all is known. */
  note(): Html | "" {
    if (this.#counts.size === 0) return "";
    const counts = [...this.#counts].map(([label, count]) => `${label} ${count}`).join(", ");
    const reasons = [...this.#reasons];
    const left = reasons.length - maxReasons;
    const why =
      reasons.length === 0
        ? ""
        : ` Why: ${reasons.slice(0, maxReasons).map(withCodeNamed).join("; ")}${left > 0 ? `; and ${left} more, see the CSV` : ""}.`;
    return html`<p class="note">${unknownMark()} Not known, by column: ${counts}.${escapeControlChars(why)}</p>`;
  }
}

/** Names coins that have no value, after why; nothing without any. */
export const coinsNote = (why: string, names: readonly string[]): Html | "" =>
  names.length > 0 ? html`<p class="note">${why}: ${names.map(escapeControlChars).join(", ")}</p>` : "";
