/** Defines an import format of a tax program. */
import type { Cell } from "../../core/domain.ts";
import type { BookEvent } from "./event.ts";

export interface Format {
  name: string;
  header: readonly string[];
  /** True if a line names its account. Otherwise a file is of one account. */
  hasAccounts: boolean;
  /** Returns the word of the format for an event; null if it has none, so that the event is only received or sent. */
  wordOf(event: BookEvent): string | null;
  /** Returns the cells of `header`. */
  cells(event: BookEvent): Cell[];
}

/** Words by kind of event: for what was received and for what was sent. */
export type Words = Readonly<
  Partial<Record<BookEvent["kind"], readonly [received: string | null, sent: string | null]>>
>;

/** Returns the word for an event; null if there is none. */
export const wordIn = (words: Words, { kind, received }: BookEvent): string | null =>
  words[kind]?.[received ? 0 : 1] ?? null;

/** Returns `2026-10-30 10:15:00`, in UTC. */
export const secondText = (at: number): string => new Date(at).toISOString().slice(0, 19).replace("T", " ");

/** Returns what happened in the exchange's words, with the instrument and the id. */
export const noteOf = ({ type, symbol, id }: BookEvent): string => [type, symbol, id].filter(Boolean).join(" ");
