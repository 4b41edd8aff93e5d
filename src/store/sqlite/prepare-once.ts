/** Prepares a question when it is first asked, and keeps what was prepared. */
export function prepareOnce<Asked extends unknown[], Answer>(
  prepare: () => (...asked: Asked) => Answer,
): (...asked: Asked) => Answer {
  let ask: ((...asked: Asked) => Answer) | null = null;
  return (...asked) => {
    ask ??= prepare();
    return ask(...asked);
  };
}
