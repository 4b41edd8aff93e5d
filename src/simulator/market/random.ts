/** Reproducible pseudo-random numbers: everything on the simulated exchange follows from a seed. */
import { type Amount, unit } from "./amount.ts";

/** Returns a 32-bit hash of four numbers; it must never change. */
export function hash(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15) ^ b, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 13) ^ c, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16) ^ d, 0x165667b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return (h ^ (h >>> 16)) >>> 0;
}

export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) h = Math.imul(h ^ text.charCodeAt(index), 0x01000193);
  return h >>> 0;
}

export interface Random {
  /** Returns an integer from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  /** Returns an amount from `low` to `high`, both in units of the last of `places` decimal places. */
  amount(low: number, high: number, places: number): Amount;
  pick<Item>(items: readonly Item[]): Item;
}

/** Returns a generator that produces the same numbers in the same order for the same seed. */
export function random(seed: number): Random {
  let drawn = 0;
  const integer = (low: number, high: number) => low + (hash(seed, ++drawn, 1, 1) % (high - low + 1));
  return {
    integer,
    amount: (low, high, places) => BigInt(integer(low, high)) * unit(places),
    pick(items) {
      const item = items[integer(0, items.length - 1)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
  };
}
