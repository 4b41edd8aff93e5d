/** A made-up life of one coin in one wallet: its entries with balances of 12 places, and snapshots cut to 8. */
import { add, normalize, truncate } from "../../src/core/decimal.ts";
import type { Entry } from "../../src/reconciliation/entry.ts";
import type { ChainInput } from "../../src/reconciliation/reconcile.ts";
import type { Snapshots } from "../../src/reconciliation/snapshots.ts";
import { random } from "../../src/simulator/market/random.ts";

export const start = Date.UTC(2026, 0, 1);
const snapshotEveryMs = 300_000;

export interface Life {
  /** In the order in which they changed the balance, which neither times nor ids give everywhere. */
  entries: Entry[];
  /** What each of them changed. */
  changes: string[];
  snapshots: { at: number; balance: string }[];
}

export interface LifeOptions {
  /** The mean time between entries. Milliseconds. */
  everyMs?: number;
  /** Whether entries share milliseconds and carry times a little before their place. */
  isDisordered?: boolean;
}

/** Makes a life of `count` entries. The same seed makes the same life. */
export function lifeOf(
  seed: number,
  count: number,
  { everyMs = 200_000, isDisordered = true }: LifeOptions = {},
): Life {
  const dice = random(seed);
  const life: Life = { entries: [], changes: [], snapshots: [] };
  let [at, booked, balance, nextSnapshot] = [start + 1000, start + 1000, "1000", start];
  const takeSnapshots = (until: number) => {
    for (; nextSnapshot < until; nextSnapshot += snapshotEveryMs)
      life.snapshots.push({ at: nextSnapshot, balance: truncate(balance, 8) });
  };
  for (let number = 0; number < count; number++) {
    const isSameMoment = isDisordered && dice.integer(0, 3) === 0;
    if (!isSameMoment) at += dice.integer(20, 2 * everyMs);
    booked = Math.max(booked, at) + dice.integer(0, 3);
    takeSnapshots(booked);
    const type = dice.pick(["close", "open", "settle", "inside", "append_margin"]);
    const digits = (most: number, places: number) => decimalOf(dice.integer(1, most), places);
    const sign = dice.integer(0, 1) === 0 ? "-" : "";
    const amount = type === "open" ? "0" : `${sign}${digits(9_999_999, 7)}`;
    const fee = type === "settle" || type === "append_margin" ? "0" : `-${digits(999_999, 12)}`;
    const change = type === "append_margin" ? "0" : type === "inside" || type === "settle" ? amount : add(amount, fee);
    balance = add(balance, change);
    // Some were due up to two seconds before they were booked.
    const due = isDisordered && type === "settle" ? booked - dice.integer(0, 2000) : booked;
    life.entries.push({
      category: "umcbl",
      id: String((BigInt(isSameMoment ? at : booked) << 22n) + BigInt(dice.integer(0, 4_000_000))),
      at: isSameMoment ? (life.entries.at(-1)?.at ?? due) : due,
      type,
      movesMargin: type === "append_margin",
      amount,
      fee,
      otherFee: null,
      balance,
    });
    life.changes.push(normalize(change));
  }
  takeSnapshots(booked + 10 * snapshotEveryMs);
  return life;
}

const decimalOf = (digits: number, places: number): string => {
  const text = String(digits).padStart(places + 1, "0");
  return normalize(`${text.slice(0, -places)}.${text.slice(-places)}`);
};

/** Returns snapshots as the reconciliation takes them. */
export function snapshotsOf(all: Life["snapshots"]): Snapshots {
  const versions = all.flatMap(({ balance }, since) =>
    since === 0 || all[since - 1]?.balance !== balance ? [{ since, balance }] : [],
  );
  return { times: all.map(({ at }) => at), versions };
}

/** Returns the input for a life in which everything is old enough to judge. */
export const inputOf = ({ entries, snapshots }: Life, more: Partial<ChainInput> = {}): ChainInput => ({
  entries: entries.toReversed(),
  snapshots: snapshotsOf(snapshots),
  before: null,
  tolerance: "0.00000001",
  holes: [],
  openAfter: Number.POSITIVE_INFINITY,
  settleUntil: Number.POSITIVE_INFINITY,
  readUntil: Number.POSITIVE_INFINITY,
  isUnsettled: () => false,
  ...more,
});
