/** The settings of reports and queries, of the heartbeat and of the log. */
import { choice, folder, integer, schedule, secretUrl } from "../parsers.ts";
import { type Parse, section } from "../setting.ts";
import { timezoneProblem } from "../timezone.ts";

/** Parses the name of a time zone. The variable TZ has no effect, so that days are the same on every machine. */
const timezone: Parse<string> = (text, report) => {
  const problem = timezoneProblem(text);
  if (problem === null) return text;
  report(problem);
  return "UTC";
};

export const reading = section({
  title: "Reports and queries",
  settings: {
    sqlTimeoutSeconds: {
      name: "SQL_TIMEOUT_SECONDS",
      default: "10",
      parse: integer("seconds", 1, 3600),
      description: "Time limit of a statement of `sql`, and of a page of the dashboard, in seconds from 1 to 3600.",
    },
    timezone: {
      name: "TIMEZONE",
      default: "UTC",
      verbatim: true,
      parse: timezone,
      description:
        "The time zone of report days, pages and SCHEDULE_REPORTS, by its IANA name: Europe/Berlin. The variable TZ has no effect.",
    },
    reportsSchedule: {
      name: "SCHEDULE_REPORTS",
      default: "5 0 * * *",
      verbatim: true,
      parse: schedule,
      description: "When the daily reports of finished days are written: cron in TIMEZONE; empty switches them off.",
    },
    /** An absolute path. */
    reportsDirectory: {
      name: "REPORTS_DIR",
      default: "./reports",
      verbatim: true,
      parse: folder("./reports"),
      description: "The folder of the daily reports; created if it is missing.",
    },
  },
});

export const heartbeat = section({
  title: "Heartbeat",
  settings: {
    heartbeatUrl: {
      name: "HEARTBEAT_URL",
      default: null,
      parse: secretUrl,
      secret: "always",
      description:
        "The URL that is requested after each complete cycle, and with /fail appended to its path after a failure: a dead man's switch. A secret: anyone who knows it can send false heartbeats.",
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
      description: "The least severe level that is logged: trace, debug, info, warn, error or silent.",
    },
    logFormat: {
      name: "LOG_FORMAT",
      default: "",
      parse: (text, report) => logFormat(text || (process.stderr.isTTY ? "pretty" : "json"), report),
      description: "pretty or json; by default pretty on a terminal, else json.",
    },
  },
});
