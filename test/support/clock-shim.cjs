// Shifts the wall clock of a process by the milliseconds in the file CLOCK_OFFSET_FILE; timers are unaffected, as after a suspend.
const { readFileSync } = require("node:fs");
const Real = Date;
const offset = () => {
  try {
    return Number.parseInt(readFileSync(process.env.CLOCK_OFFSET_FILE, "utf8"), 10) || 0;
  } catch {
    return 0;
  }
};
globalThis.Date = class extends Real {
  constructor(...parts) {
    if (parts.length > 0) super(...parts);
    else super(Real.now() + offset());
  }
  static now() {
    return Real.now() + offset();
  }
};
