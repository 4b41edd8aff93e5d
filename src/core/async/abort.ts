/** Helpers for waiting that ends when a signal is aborted. */
import { DeadlineError } from "../errors.ts";

/** Time limit of requests outside a run, milliseconds. */
const limitMs = 30_000;

/**
 * Runs `work` outside a run: its signal is aborted after 30 s, or when `stopping` is. The timer does not keep the process
 * running.
 */
export async function withLimit<T>(work: (signal: AbortSignal) => Promise<T>, stopping?: AbortSignal): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort(stopping?.reason);
  const late = () => controller.abort(new DeadlineError(`no response within ${limitMs / 1000} s`));
  const timer = setTimeout(late, limitMs).unref();
  // Not AbortSignal.any: in Node 20 such a signal is retained as long as `stopping`.
  if (stopping?.aborted) stop();
  stopping?.addEventListener("abort", stop, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    stopping?.removeEventListener("abort", stop);
  }
}

/** Settles like `promise`, or rejects with the signal's reason as soon as the signal is aborted. */
export function abortable<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

interface Waiting {
  actions: Set<() => void>;
  /** Removes the listener. */
  end(): void;
}

/** The actions that wait for each signal. A signal's own list of listeners is searched whenever one is added. */
const waitingFor = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls `action` once when the signal is aborted, immediately if it already is; the returned function cancels that. The cost
 * does not depend on how many actions wait for the same signal.
 */
export function onceAborted(signal: AbortSignal, action: () => void): () => void {
  if (signal.aborted) {
    action();
    return () => {};
  }
  const { actions, end } = waitingFor.get(signal) ?? startWaiting(signal);
  // A new function for each call, because the same action may be registered twice.
  const own = () => action();
  actions.add(own);
  return () => {
    if (actions.delete(own) && actions.size === 0) end();
  };
}

function startWaiting(signal: AbortSignal): Waiting {
  const actions = new Set<() => void>();
  const callAll = () => {
    waitingFor.delete(signal);
    for (const action of actions) action();
    actions.clear();
  };
  const waiting = {
    actions,
    end() {
      waitingFor.delete(signal);
      signal.removeEventListener("abort", callAll);
    },
  };
  waitingFor.set(signal, waiting);
  signal.addEventListener("abort", callAll, { once: true });
  return waiting;
}
