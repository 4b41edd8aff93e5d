/** Measures whether each dataset is up to date, by the same rule as `status`. */
import { causes } from "../../core/domain.ts";
import { durationText } from "../../core/text.ts";
import type { Freshness } from "../../store/history.ts";
import { timeText } from "../messages.ts";
import type { Measurement, ThresholdState } from "../rules.ts";

/** Causes of slots that passed while the program could not run them, which predict nothing about the next slot. */
const notRunCauses: readonly (string | null)[] = [causes.notRunning, causes.asleep];

/** Compares the age of a dataset with its limit. `ableMs` is the time for which this process has been able to collect. Milliseconds. */
export function measureStaleness(
  { account, dataset, lastOkAt, ageMs, since, fresh, staleAt, offered, last }: Freshness,
  ableMs: number,
): Measurement {
  const limitMs = staleAt === null ? null : staleAt - Math.max(lastOkAt ?? since, since);
  const wasTried = last !== null && last.state !== "ok" && !notRunCauses.includes(last.cause);
  // After a start or a sleep, the program first gets one period to collect.
  const mayFire = wasTried || ableMs >= (limitMs ?? 0);
  // Under a new schedule an alert recovers only with the first complete run.
  const isComplete = !offered || (lastOkAt !== null && lastOkAt >= since);
  const verdict: ThresholdState = fresh ? (isComplete ? "good" : "unknown") : mayFire ? "bad" : "unknown";
  const how =
    lastOkAt === null
      ? "has no complete run yet"
      : ageMs === null
        ? `has an unknown age: this machine's clock is wrong (last complete run at ${timeText(lastOkAt)})`
        : fresh
          ? `is up to date: last complete run at ${timeText(lastOkAt)}`
          : `has had no complete run since ${timeText(lastOkAt)}, ${durationText(ageMs)} ago`;
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
