import { createCoverage } from "../queries/coverage.ts";
import { periodsOf } from "../queries/periods.ts";
import type { Report } from "./report.ts";

export const coverage: Report = {
  name: "coverage",
  summary: "outcomes of due slots, per account and dataset",
  columns: ["day", "account", "dataset", "slots", "ok", "partial", "failed", "missed", "skipped", "coverage", "causes"],
  *rows(source, span) {
    const { series, counts, word } = createCoverage(source);
    for (const period of periodsOf(span))
      for (const one of series) {
        const found = yield* counts(period, one);
        const { due, ok, partial, failed, missed, skipped, causes } = found;
        yield [
          period.name,
          one.account,
          one.dataset,
          ...[due, ok, partial, failed, missed, skipped].map(BigInt),
          word(period, found),
          causes.length > 0 ? causes.map(([cause, slots]) => `${cause}: ${slots}`).join("; ") : null,
        ];
      }
  },
};
