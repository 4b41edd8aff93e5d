/** Cooperative multitasking: long synchronous work in steps, so that the event loop can run in between. */
import { setImmediate } from "node:timers/promises";

/** The value that work yields when the event loop may run. */
export const pause = Symbol("pause");
export type Pause = typeof pause;

/** Work with pauses that returns a result; run by `runToEnd` or `cooperate`. */
export type Steps<Result> = Generator<Pause, Result>;

/** Rows with pauses between them. */
export type Paced<Row> = Generator<Row | Pause, void>;

export interface Turns {
  /** How long work may run before it yields to the event loop, milliseconds. */
  turnMs: number;
  /** Called after each turn of the event loop; the work waits for it, and an error it throws ends the work. */
  onTurn?: (() => void | Promise<void>) | undefined;
}

/** Runs work to its end without yielding to the event loop. */
export function runToEnd<Result>(steps: Steps<Result>): Result {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** Returns the result of work; stops it and returns undefined after more than `pauses` pauses. */
export function* within<Result>(steps: Steps<Result>, pauses: number): Steps<Result | undefined> {
  try {
    for (let left = pauses; ; left -= 1) {
      const step = steps.next();
      if (step.done) return step.value;
      if (left <= 0) return undefined;
      yield pause;
    }
  } finally {
    steps.return(undefined as Result);
  }
}

/** Runs work to its end, yielding to the event loop every `turnMs`. Always closes the generator, also after an error. */
export async function cooperate<Result>(steps: Steps<Result>, { turnMs, onTurn }: Turns): Promise<Result> {
  try {
    for (let begun = performance.now(); ; ) {
      const step = steps.next();
      if (step.done) return step.value;
      if (performance.now() - begun < turnMs) continue;
      await setImmediate();
      await onTurn?.();
      begun = performance.now();
    }
  } finally {
    steps.return(undefined as Result);
  }
}

/** Joins the next texts into a piece of at least `size` characters. Returns "" at the end. */
export function* nextPiece(texts: Iterator<string | Pause, void>, size: number): Steps<string> {
  let piece = "";
  while (piece.length < size) {
    const { value, done } = texts.next();
    if (done) break;
    if (value !== pause) piece += value;
    yield pause;
  }
  return piece;
}

/** Joins the next chunks into a piece of at least `size` bytes. Returns an empty one at the end. */
export function* nextBytes(chunks: Iterator<Uint8Array | Pause, void>, size: number): Steps<Uint8Array> {
  const found: Uint8Array[] = [];
  for (let length = 0; length < size; ) {
    const { value, done } = chunks.next();
    if (done) break;
    if (value !== pause) {
      found.push(value);
      length += value.length;
    }
    yield pause;
  }
  return Buffer.concat(found);
}
