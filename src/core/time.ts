/** Durations in milliseconds, and UTC days. Days of a time zone are in `queries/periods.ts`. */
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** Returns the start of the UTC day of an instant. Epoch ms. */
export const startOfDay = (instant: number): number => Math.floor(instant / dayMs) * dayMs;
