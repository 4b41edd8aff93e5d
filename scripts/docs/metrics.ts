/** Generates the reference of the metrics, from their definitions. */
import { describeMetrics } from "../../src/monitoring/metrics.ts";
import { codes, table } from "./markdown.ts";

export const metrics = (): string =>
  table(
    ["metric", "type", "labels", "meaning"],
    describeMetrics().map(({ name, type, labelNames, help }) => [`\`${name}\``, type, codes(labelNames), help]),
  );
