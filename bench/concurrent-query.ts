/** Measures how long the collector waits for its commits while a query runs in another process. */
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { launch } from "../test/support/program.ts";
import type { History } from "./history.ts";

const seconds = 10;
const everyMs = 50;

/** Does not end before its time limit. */
const query = "select count(*) from positions_history one, positions_history other";

export interface Stored {
  /** Milliseconds to store each minute: its slots are claimed in one commit, their runs ended in another. */
  alone: number[];
  duringQuery: number[];
}

export async function storeDuringQuery(history: History): Promise<Stored> {
  const alone = await storeUntil(history, sleep(seconds * 1000));
  const program = launch(["sql", query], dirname(history.path), {
    DATABASE_URL: `file:${history.path}`,
    SQL_TIMEOUT_SECONDS: String(seconds),
  });
  const duringQuery = await storeUntil(history, program.finished);
  const { stderr } = await program.finished;
  if (!stderr.includes(`stopped after ${seconds} s`)) throw new Error(`the query did not run: ${stderr}`);
  return { alone, duringQuery };
}

async function storeUntil(history: History, end: Promise<unknown>): Promise<number[]> {
  const durations: number[] = [];
  let over = false;
  void end.then(() => {
    over = true;
  });
  while (!over) {
    const startedAt = performance.now();
    await history.collectMinute();
    durations.push(performance.now() - startedAt);
    await sleep(everyMs);
  }
  return durations;
}
