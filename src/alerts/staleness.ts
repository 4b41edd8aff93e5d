/** Whether each dataset is looked at often enough to warn of anything: the same rule as in `status`. */
import { causes } from "../core/domain.ts";
import { durationText } from "../core/text.ts";
import type { Freshness } from "../store/history.ts";
import { instantText } from "./messages.ts";
import type { Measurement, ThresholdState } from "./rules.ts";

/** Slots that passed while nobody could run them say nothing of the next one. */
const notRunCauses: readonly (string | null)[] = [causes.notRunning, causes.asleep];

/** `livedMs`: for how long the program has been there to collect. */
export function measureStaleness(
  { account, dataset, lastOkAt, ageMs, since, fresh, staleAt, offered, last }: Freshness,
  livedMs: number,
): Measurement {
  const limitMs = staleAt === null ? null : staleAt - Math.max(lastOkAt ?? since, since);
  const wasTried = last !== null && last.state !== "ok" && !notRunCauses.includes(last.cause);
  // Started after a pause, it first gets the chance to look.
  const mayFire = wasTried || livedMs >= (limitMs ?? 0);
  // A new schedule waits for its first run, and nothing is better until that is complete.
  const isComplete = !offered || (lastOkAt !== null && lastOkAt >= since);
  const verdict: ThresholdState = fresh ? (isComplete ? "good" : "unknown") : mayFire ? "bad" : "unknown";
  const how =
    lastOkAt === null
      ? "has had no complete run yet"
      : ageMs === null
        ? `cannot be judged: this machine's clock is wrong (its last complete run was at ${instantText(lastOkAt)})`
        : fresh
          ? `is collected: complete at ${instantText(lastOkAt)}`
          : `has had no complete run since ${instantText(lastOkAt)}, ${durationText(ageMs)} ago`;
  return {
    kind: "stale",
    account,
    subject: dataset,
    what: dataset,
    scopeId: null,
    value: secondsText(ageMs),
    threshold: secondsText(limitMs),
    verdict,
    how,
  };
}

const secondsText = (ms: number | null): string | null => (ms === null ? null : String(Math.floor(ms / 1000)));
