/** Returns a function that calls `prepare` at its first call, and the prepared function at each call. */
export function prepareOnce<Args extends unknown[], Result>(
  prepare: () => (...asked: Args) => Result,
): (...asked: Args) => Result {
  let prepared: ((...asked: Args) => Result) | null = null;
  return (...asked) => {
    prepared ??= prepare();
    return prepared(...asked);
  };
}
