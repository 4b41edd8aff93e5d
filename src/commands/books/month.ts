/** Parses the month that the commands for books take as an argument. */
import { UsageError } from "../../core/errors.ts";
import { type Period, periodOf, startOfDate } from "../../queries/periods.ts";
import type { CommandInput } from "../command.ts";
import { requireTimezone } from "../shared/instant.ts";
import { textOption } from "../shared/option.ts";

/** A month in a time zone. */
export interface Month {
  period: Period;
  timezone: string;
}

/** Returns the month of the argument, or the last complete one. @throws UsageError for another text, and for a month in the future */
export function monthOf(
  { args, options }: Pick<CommandInput, "args" | "options">,
  { timezone: otherwise, now }: { timezone: string; now: number },
): Month {
  const timezone = requireTimezone(textOption(options, "timezone") ?? otherwise);
  const [text] = args;
  if (text === undefined)
    return { period: periodOf(timezone, "month", periodOf(timezone, "month", now).from - 1), timezone };
  const start = /^\d{4}-\d\d$/.test(text) ? startOfDate(`${text}-01`, timezone) : null;
  if (start === null) throw new UsageError(`"${text}" is not a month; use 2026-10`);
  if (start > now) throw new UsageError(`${text} has not begun`);
  return { period: periodOf(timezone, "month", start), timezone };
}

/** Throws where nothing was recorded up to the end of a month: its books would look like those of an empty account. */
export function requireRecorded(first: number | null, { period }: Month): void {
  if (first === null) throw new UsageError("the history is empty");
  if (first >= period.to)
    throw new UsageError(
      `nothing was recorded in ${period.name}; the history begins at ${new Date(first).toISOString()}`,
    );
}
