/**
 * What is wrong with the lists of the exchange: entries that are missing, late, or in another order, and pages that are empty,
 * repeated, or do not say how to continue. Ids are those in responses.
 */
import type { Query } from "./api/endpoint.ts";

/** What is wrong with one page: it has no rows; it is the first page again; its cursor is missing. */
export type PageFault = "empty" | "repeated" | "without cursor";

const cursors = ["idLessThan", "cursor"];

/** Returns a request for the first page of its list. */
export const withoutCursor = <Request extends { query: Query }>(request: Request): Request => ({
  ...request,
  query: Object.fromEntries(Object.entries(request.query).filter(([name]) => !cursors.includes(name))),
});

/** Returns the data of a page with a fault: a list, or an object with one and a cursor. */
export function editList(data: unknown, fault: PageFault): unknown {
  if (fault === "repeated" || typeof data !== "object" || data === null) return data;
  if (Array.isArray(data)) return fault === "empty" ? [] : data;
  const edited = Object.entries(data).map(([name, value]) =>
    Array.isArray(value) ? [name, fault === "empty" ? [] : value] : [name, null],
  );
  return Object.fromEntries(edited);
}

/** An item of a list, with the time by which it is listed and the time from which it is. Epoch ms. */
export interface Listed {
  id: string;
  at: number;
  visibleAt: number;
}

export class ListFaults {
  readonly #hidden = new Map<string, number>();
  readonly #renamed = new Map<string, string>();

  /** Leaves an item out of every list until `until`, epoch ms; without it, until `show`. */
  hide(id: string, until = Number.POSITIVE_INFINITY): void {
    this.#hidden.set(id, until);
  }

  show(id: string): void {
    this.#hidden.delete(id);
  }

  /** Lets two items of one millisecond change their ids, so that the order of ids is not the one of balances. */
  swap(one: string, other: string): void {
    this.#renamed.set(one, other).set(other, one);
  }

  isListed({ id, visibleAt }: Listed, now: number): boolean {
    return visibleAt <= now && (this.#hidden.get(id) ?? 0) <= now;
  }

  /** Returns the items with their changed ids, oldest first; `items` are sorted by time and id. */
  inOrder<Item extends Listed>(items: readonly Item[]): readonly Item[] {
    if (this.#renamed.size === 0) return items;
    return items.map((item) => ({ ...item, id: this.#renamed.get(item.id) ?? item.id })).sort(compareListed);
  }
}

/** Compares by time, then by id as text (the longer or greater one is newer), because ids have more digits than a number can hold. */
export const compareListed = (one: Listed, other: Listed): number =>
  one.at - other.at || one.id.length - other.id.length || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
