/** Reports, the log, and who is called. */
import { choice, folder, schedule, secretUrl, whole } from "../parsers.ts";
import { type Parse, section } from "../setting.ts";
import { timezoneProblem } from "../timezone.ts";

/** The setting TZ does not matter: the same days on every machine. */
const timezone: Parse<string> = (text, report) => {
  const problem = timezoneProblem(text);
  if (problem === null) return text;
  report(problem);
  return "UTC";
};

export const reading = section({
  title: "Reading it",
  settings: {
    sqlTimeoutSeconds: {
      name: "SQL_TIMEOUT_SECONDS",
      default: "10",
      parse: whole("seconds", 1, 3600),
      description:
        "A statement given to `sql` is stopped after this many seconds, from 1 to 3600; so is the work for a page.",
    },
    timezone: {
      name: "TIMEZONE",
      default: "UTC",
      verbatim: true,
      parse: timezone,
      description:
        "The time zone of report days and of SCHEDULE_REPORTS, by its IANA name: Europe/Berlin. What TZ says does not matter.",
    },
    reportsSchedule: {
      name: "SCHEDULE_REPORTS",
      default: "5 0 * * *",
      verbatim: true,
      parse: schedule,
      description: "When the reports of the days that are over are written (cron in TIMEZONE; empty: never).",
    },
    /** An absolute path. */
    reportsDirectory: {
      name: "REPORTS_DIR",
      default: "./reports",
      verbatim: true,
      parse: folder("./reports"),
      description: "The folder they are written into; created when it is missing.",
    },
  },
});

export const heartbeat = section({
  title: "Watching it",
  settings: {
    heartbeatUrl: {
      name: "HEARTBEAT_URL",
      default: null,
      parse: secretUrl,
      secret: "always",
      description:
        "An address that is called after each complete cycle, and with /fail behind its path after a failure: a dead man's switch. A secret: whoever has it could call it too.",
    },
  },
});

const logFormat = choice("pretty", "json");

export const log = section({
  title: "The log, on stderr",
  settings: {
    logLevel: {
      name: "LOG_LEVEL",
      default: "info",
      parse: choice("trace", "debug", "info", "warn", "error", "silent"),
      description: "trace, debug, info, warn, error or silent.",
    },
    logFormat: {
      name: "LOG_FORMAT",
      default: "",
      parse: (text, report) => logFormat(text || (process.stderr.isTTY ? "pretty" : "json"), report),
      description: "pretty or json; without it pretty on a terminal, else json.",
    },
  },
});
