/** The settings of what is collected, when, and where it is stored. */
import { hostname } from "node:os";
import { resolve } from "node:path";
import type { Pattern } from "../../core/cron.ts";
import { type DatasetName, Secret } from "../../core/domain.ts";
import { realPath } from "../../core/path.ts";
import { datasets } from "../../datasets/index.ts";
import { addressOf, addressProblem, isPostgresUrl } from "../../store/postgres/address.ts";
import { integer, schedule } from "../parsers.ts";
import { type Parse, type Setting, section } from "../setting.ts";

/** Where the history is. */
export interface Database {
  /** The absolute path of the SQLite file; of the mirror where the history is in PostgreSQL. */
  path: string;
  /** The URL of the PostgreSQL database that holds the history; null where a file does. */
  postgres: Secret | null;
}

const database: Parse<Database> = (text, report) => {
  const value = text.trim();
  if (isPostgresUrl(value)) {
    const problem = addressProblem(value);
    if (problem === null) return { path: mirrorPath(new Secret(value)), postgres: new Secret(value) };
    report(problem);
  } else if (!/^file:(\/\/\/|(?!\/\/))[^~?#%]+$/.test(value))
    report(
      "must name a file by its plain path, as in file:./data/collector.db or file:/var/lib/collector.db, or be a postgres:// URL",
    );
  return { path: realPath(resolve(value.replace(/^file:(\/\/(?=\/))?/, ""))), postgres: null };
};

/** Returns the path of the file that mirrors a history in PostgreSQL, for reading. */
function mirrorPath(url: Secret): string {
  const { database, schema } = addressOf(url);
  return realPath(resolve("data", `${`${database}-${schema}`.replace(/[^\w.-]/g, "_")}.mirror.db`));
}

export const storage = section({
  title: "Storage",
  settings: {
    database: {
      name: "DATABASE_URL",
      default: "file:./data/collector.db",
      verbatim: true,
      secret: "with a password",
      parse: database,
      description:
        "The database file, which the first start or collect creates; or a PostgreSQL database, postgres://user:password@host/database. Commands that read work on a mirror of it, a file in ./data.",
    },
    workerName: {
      name: "WORKER_NAME",
      default: "",
      parse(text, report) {
        if (!/^[\w.-]{0,64}$/.test(text)) report("can have letters, digits, dots, hyphens and underscores, at most 64");
        return text || hostname().slice(0, 64);
      },
      description:
        "The name of this process among those that record into one PostgreSQL, in the column worker of runs; by default the name of this machine. No other process may have it.",
    },
    keepRawDays: {
      name: "KEEP_RAW_DAYS",
      default: "30",
      parse: integer("days", 0, 3650),
      description:
        "Days that raw responses of the exchange are kept, in a file next to the database (collector.raw.db); 0 switches it off. None are kept of a history in PostgreSQL.",
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
