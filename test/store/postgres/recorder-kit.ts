/** Recorders on the PostgreSQL server of the tests. */
import { onTestFinished } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { Secret } from "../../../src/core/domain.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { openRecorder, type Recorder, type RecorderOptions } from "../../../src/store/postgres/recorder/recorder.ts";
import { minute, quiet, start } from "../kit.ts";
import { connected, newHistory } from "./kit.ts";

/** An hour after `start`, by the clock of the database. */
export const databaseTime = start + 60 * minute;

/** Creates a history whose database clock stands at an instant (epoch ms). Returns its URL. */
export async function newRecordedHistory(now = databaseTime): Promise<string> {
  const url = await newHistory();
  await setDatabaseTime(url, now);
  return url;
}

export async function setDatabaseTime(url: string, now: number): Promise<void> {
  const postgres = await connected(url);
  await postgres.run(`create or replace function now_ms() returns bigint language sql as 'select ${now}::bigint'`);
}

/** Opens a recorder, until the test is over. */
export async function recorderAt(url: string, options: Partial<RecorderOptions> = {}): Promise<Recorder> {
  const recorder = await openRecorder({
    ...{ url: new Secret(url), datasets, log: quiet, clock: systemClock, worker: "test", leaseMs: minute },
    ...options,
  });
  onTestFinished(() => recorder.close());
  return recorder;
}
