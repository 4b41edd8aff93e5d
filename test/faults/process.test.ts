/** Faults of the process and of time: rows T1 to T24. */
import "./process-ends.ts";
import "./process-clock.ts";
import "./process-runs.ts";
import "./process-several.ts";
