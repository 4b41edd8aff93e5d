/** The ids of the exchange: the time at which a row was written in the upper bits, a serial number in the lower 22. */

const epoch = 1_435_725_920_677;
const serialBits = 22n;

/** Returns the id of a row that was written at `instant`, epoch ms. Ids of one millisecond grow with `serial`. */
export const snowflake = (instant: number, serial: number): string =>
  ((BigInt(instant - epoch) << serialBits) | BigInt(serial % 2 ** Number(serialBits))).toString();
