/** Waiting that ends with a signal, whatever becomes of what was waited for. */

/** What `wanted` becomes; rejects with the signal's reason as soon as that is aborted. */
export function unlessAborted<Result>(wanted: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    wanted.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
