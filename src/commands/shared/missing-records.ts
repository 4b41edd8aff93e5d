/** Describes the records of the exchange that the history lacks. */
import { dayMs } from "../../core/time.ts";
import type { RunHistory } from "../../store/history.ts";

/** How long ago a loss may have been found that is still shown. Milliseconds. */
const shownMs = 31 * dayMs;

/**
 * Returns a line for each stretch without records that was found in the last 31 days, and for each dataset that is switched off. `now` is
 * epoch ms.
 */
export const missingRecordLines = (history: Pick<RunHistory, "recordGaps">, now: number): string[] =>
  history
    .recordGaps(null, { from: now - shownMs, to: Number.MAX_SAFE_INTEGER })
    .map(({ account, dataset, productType, fromSlot, toSlot, cause }) => {
      const what = [account, dataset, productType].filter((name) => name !== null).join(" ");
      const from = new Date(fromSlot).toISOString();
      return toSlot === null
        ? `${what}: ${cause} since ${from}`
        : `${what}: ${from} to ${new Date(toSlot).toISOString()}, ${cause}`;
    });
