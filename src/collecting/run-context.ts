/** What one run works with: the tools all runs share, and what is its own. */

import type { ClockCheck } from "../bitget/clock-check.ts";
import { onceAborted } from "../core/abort.ts";
import type { Clock } from "../core/clock.ts";
import type { Pattern } from "../core/cron.ts";
import type { DatasetName, FailedSnapshot, Occasion, ProductType, RunState, Tally } from "../core/domain.ts";
import { DeadlineError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { RawAnswer, RawAnswers } from "../store/responses/archive.ts";
import type { SettledSlot } from "../store/runs/run-ledger.ts";
import type { Store } from "../store/store.ts";
import type { Session } from "./account-session.ts";

export interface Tools {
  store: Store;
  /** Null: answers are not kept. */
  rawAnswers: RawAnswers | null;
  datasets: readonly Dataset[];
  productTypes: readonly ProductType[];
  schedules: Readonly<Record<DatasetName, Pattern | null>>;
  runDeadlineSeconds: number;
  clock: Clock;
  /** What the exchange says about that clock. */
  clockCheck: ClockCheck;
  log: Log;
  /** Takes secrets out of a text; what an answer echoes must not reach the database. */
  redact(text: string): string;
  occasion: Occasion;
  /** What was said of fields that the exchange sends and nobody knows, or that it leaves out; nothing is said twice. */
  reportedFields: Set<string>;
  /** Is told of each run once it is stored. Neither throws nor waits. */
  onEnded(run: EndedRun): void;
  /** Is told of slots that nobody ran, once they are stored. Neither throws nor waits. */
  onSettled(account: string, dataset: DatasetName, slots: readonly SettledSlot[]): void;
  /** Aborted when the program must stop at once. */
  stopping: AbortSignal;
}

/** A run as it was stored. */
export interface EndedRun extends Tally {
  account: string;
  dataset: DatasetName;
  /** Epoch ms. */
  slot: number;
  state: RunState;
  failures: readonly FailedSnapshot[];
  startedAt: number;
  finishedAt: number;
}

export interface Job {
  dataset: Dataset;
  session: Session;
  /** Epoch ms. */
  slot: number;
  /** Resolves when the runs that this one builds on have ended, or it can wait for them no longer. */
  before: Promise<void>;
  /** Aborted when the run's time is up. */
  signal: AbortSignal;
  /** The same by the wall clock, which goes on while the machine sleeps. Epoch ms. */
  overAt: number;
  /** Our clock, as far as it is to be believed. Epoch ms. */
  now(): number;
  tally: Tally;
  /** Our clock at each answer, for the spread between the first and the last. */
  answeredAt: number[];
  /** Every answer as it came, the refused ones too. */
  received: RawAnswer[];
  /** Fields that items of its answers lack. */
  missing: Set<string>;
  tools: Tools;
}

export interface Deadline {
  signal: AbortSignal;
  /** From now on. Milliseconds. */
  ms: number;
  /** Epoch ms. */
  overAt: number;
  clear(): void;
}

/** A run is cut when its time is up: the setting, or the slot after this one where that comes first. */
export function startDeadline(dataset: Dataset, slot: number, tools: Tools): Deadline {
  const { clock, schedules, runDeadlineSeconds, occasion, stopping } = tools;
  const setting = runDeadlineSeconds * 1000;
  const pattern = schedules[dataset.name];
  const now = clock.now();
  const untilNext = occasion === "schedule" && pattern ? pattern.next(slot) - now : setting;
  const ms = Math.max(0, Math.min(setting, untilNext));
  const controller = new AbortController();
  const stop = () => controller.abort(stopping.reason);
  const cancel = clock.after(ms, () =>
    controller.abort(new DeadlineError(`not finished within ${Math.round(ms / 100) / 10} s; the run was cut`)),
  );
  // Not AbortSignal.any: in Node 20 such a signal, and every answer its listeners hold, lives as long as `stopping`.
  const listenNoMore = onceAborted(stopping, stop);
  const clear = () => {
    cancel();
    listenNoMore();
  };
  return { signal: controller.signal, ms, overAt: now + ms, clear };
}

/** Waits for something that need not come. */
export async function atMost(wanted: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  let cancel = () => {};
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  await Promise.race([wanted, late]);
  cancel();
}
