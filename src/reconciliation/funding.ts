/** When funding changes a balance. It is paid at a full hour; classic accounts get its entry 8 to 15 seconds later, with the time of the entry. */
import { hourMs } from "../core/time.ts";

/** How long after the hour the entry of funding may be booked. Milliseconds. */
export const fundingLagMs = 15_000;

/** Returns the hour at which funding with an entry at `at` was paid; `at` itself where no hour is so near. Epoch ms. */
export function fundingPaidAt(at: number): number {
  const sinceHour = at % hourMs;
  return sinceHour <= fundingLagMs ? at - sinceHour : at;
}

/** Returns true where a balance may be ahead of the ledger or behind it, because funding is being booked. `at` is epoch ms. */
export const isNearFunding = (at: number): boolean => (at + fundingLagMs) % hourMs <= 2 * fundingLagMs;
