/** Runs one query in the child process of console.ts, and sends a batch of rows for each request. */

import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Cell } from "../../core/domain.ts";
import { connect } from "../files/connections.ts";
import { addDecimalFunctions } from "./decimal-functions.ts";
import { asQueryError, prepareQuery } from "./query.ts";

export type Request = { path: string; sql: string } | "more";
export type Reply = { columns: string[] } | { rows: Cell[][]; done: boolean } | { refused: string };

const batchRows = 1000;
/** Approximate size of a batch in characters and bytes. */
const batchSize = 262_144;

let rows: Iterator<Cell[]> | null = null;

function open({ path, sql }: { path: string; sql: string }): Reply {
  const sqlite = connect(path, { readonly: true, fileMustExist: true, timeout: 2000 });
  addDecimalFunctions(sqlite);
  const query = prepareQuery(sqlite, sql);
  rows = query.rows();
  return { columns: query.columns };
}

function more(): Reply {
  const batch: Cell[][] = [];
  for (let size = 0; batch.length < batchRows && size < batchSize; ) {
    const next = rows?.next();
    if (!next || next.done) return { rows: batch, done: true };
    batch.push(next.value);
    for (const cell of next.value) size += typeof cell === "string" || cell instanceof Uint8Array ? cell.length : 8;
  }
  return { rows: batch, done: false };
}

function handle(request: Request): Reply {
  try {
    return request === "more" ? more() : open(request);
  } catch (error) {
    return { refused: asQueryError(error).message };
  }
}

// The guard runs in a thread of its own because a running query blocks this one.
new Worker(new URL(`./console-guard${extname(import.meta.filename)}`, import.meta.url)).unref();
process.on("message", (request: Request) => process.send?.(handle(request)));
