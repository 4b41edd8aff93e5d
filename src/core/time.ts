/** Lengths of time in milliseconds. A day is one of UTC; those of a time zone are in `queries/periods.ts`. */
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** Returns when the UTC day of an instant begins. Epoch ms. */
export const startOfDay = (instant: number): number => Math.floor(instant / dayMs) * dayMs;
