/** The settings of what is collected, when, and where it is stored. */
import { resolve } from "node:path";
import type { Pattern } from "../../core/cron.ts";
import type { DatasetName } from "../../core/domain.ts";
import { realPath } from "../../core/path.ts";
import { datasets } from "../../datasets/index.ts";
import { integer, schedule } from "../parsers.ts";
import { type Parse, type Setting, section } from "../setting.ts";

const databasePath: Parse<string> = (text, report) => {
  const value = text.trim();
  if (/^postgres(ql)?:/.test(value))
    report("is a Postgres URL, which is not supported yet; use file:./data/collector.db");
  else if (!/^file:(\/\/\/|(?!\/\/))[^~?#%]+$/.test(value))
    report("must name a file by its plain path, as in file:./data/collector.db or file:/var/lib/collector.db");
  return realPath(resolve(value.replace(/^file:(\/\/(?=\/))?/, "")));
};

export const storage = section({
  title: "Storage",
  settings: {
    /** An absolute path. */
    databasePath: {
      name: "DATABASE_URL",
      default: "file:./data/collector.db",
      verbatim: true,
      parse: databasePath,
      description: "The database file. The first start or collect creates it.",
    },
    keepRawDays: {
      name: "KEEP_RAW_DAYS",
      default: "30",
      parse: integer("days", 0, 3650),
      description:
        "Days that raw responses of the exchange are kept, in a file next to the database (collector.raw.db); 0 switches it off.",
    },
  },
});

/** Returns the setting of a dataset's schedule: `SCHEDULE_SPOT_ASSETS` for `spot-assets`. */
export const scheduleSetting = (dataset: DatasetName): string =>
  `SCHEDULE_${dataset.toUpperCase().replaceAll("-", "_")}`;

type ScheduleSetting = Setting<Pattern | null, string>;

export const schedules = section({
  title: "What is collected, and when",
  note: "Cron in UTC, five fields, or six with seconds first; empty switches a dataset off.",
  settings: Object.fromEntries(
    datasets.map(({ name, summary, schedule: pattern }): [DatasetName, ScheduleSetting] => [
      name,
      {
        name: scheduleSetting(name),
        default: pattern,
        verbatim: true,
        parse: schedule,
        description: `${summary}.`,
      },
    ]),
  ) as Record<DatasetName, ScheduleSetting>,
});

export const runs = section({
  title: "Time limit of a run",
  settings: {
    runDeadlineSeconds: {
      name: "RUN_DEADLINE_SECONDS",
      default: "60",
      parse: integer("seconds", 1, 3600),
      description: "A run is aborted after this many seconds, or at the next slot, whichever is earlier.",
    },
  },
});
