/**
 * The schedules of a simulation, each with its own function for the half hours that are due: no cron pattern is parsed.
 * They determine the duration (13 minutes for 400 days): balances of two accounts every hour, positions every two, futures
 * accounts and prices every four, the funding wallet every six, and equity once a day.
 */

import type { DatasetName } from "../../src/core/domain.ts";
import { datasetNames } from "../../src/datasets/index.ts";
import { scheduleSetting } from "../../src/settings/config.ts";

export const halfHour = 30 * 60_000;

interface Schedule {
  pattern: string;
  /** Returns whether a full or half hour is due. */
  isDue(hour: number, minute: number, weekday: number): boolean;
}

type Regime = Record<DatasetName, Schedule | null>;

const everyHours = (count: number): Schedule => ({
  pattern: count === 1 ? "0 * * * *" : `0 */${count} * * *`,
  isDue: (hour, minute) => minute === 0 && hour % count === 0,
});

const usual: Regime = {
  "spot-assets": everyHours(1),
  "funding-assets": everyHours(6),
  "mix-accounts": everyHours(4),
  positions: everyHours(2),
  prices: everyHours(4),
  equity: { pattern: "0 0 * * *", isDue: (hour, minute) => minute === 0 && hour === 0 },
};

const dense: Regime = {
  ...usual,
  "spot-assets": { pattern: "*/30 * * * *", isDue: () => true },
  equity: { pattern: "0 0,12 * * *", isDue: (hour, minute) => minute === 0 && hour % 12 === 0 },
};

const sparse: Regime = {
  ...usual,
  "funding-assets": null,
  positions: { pattern: "30 1-23/3 * * *", isDue: (hour, minute) => minute === 30 && hour % 3 === 1 },
  equity: {
    pattern: "0 8 * * 1-5",
    isDue: (hour, minute, weekday) => minute === 0 && hour === 8 && weekday > 0 && weekday < 6,
  },
};

/** For several machines, each of which takes part in every slot. */
const shared: Regime = {
  "spot-assets": everyHours(2),
  "funding-assets": everyHours(12),
  "mix-accounts": everyHours(12),
  positions: everyHours(4),
  prices: everyHours(12),
  equity: everyHours(24),
};

export const regimes: readonly Regime[] = [usual, dense, sparse, shared];
export const sharedRegime = regimes.indexOf(shared);

export const isDue = (regime: number, dataset: DatasetName, slot: number): boolean => {
  const at = new Date(slot);
  return regimes[regime]?.[dataset]?.isDue(at.getUTCHours(), at.getUTCMinutes(), at.getUTCDay()) ?? false;
};

/** Names its seconds, so that the accounts are due together. */
export const patternOf = (regime: number, dataset: DatasetName): string => {
  const { pattern } = regimes[regime]?.[dataset] ?? {};
  return pattern === undefined ? "" : `0 ${pattern}`;
};

export const settingsOf = (regime: number): Record<string, string> =>
  Object.fromEntries(datasetNames.map((name) => [scheduleSetting(name), patternOf(regime, name)]));
