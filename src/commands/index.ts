/**
 * Every command, in the order of the help. What the help says of all of them stands here; the rest of one is loaded when it is
 * asked for, for most need little of what all of them together need.
 */
import type { Command, Listing } from "./command.ts";

export const listings: readonly Listing[] = [
  {
    name: "start",
    summary: "collect on schedule until it is stopped (SIGINT or SIGTERM)",
    load: async () => (await import("./run/start.ts")).start,
  },
  {
    name: "demo",
    summary: "the daemon against a simulated exchange, in ./data/demo.db: 30 days of the past, then live",
    hasOptions: true,
    load: async () => (await import("./run/demo.ts")).demo,
  },
  {
    name: "collect",
    summary: "one run now of the named datasets, or of all; exit code 0 all ok, 3 some of it, 1 none of it",
    args: "[dataset...]",
    hasOptions: true,
    load: async () => (await import("./collect.ts")).collect,
  },
  {
    name: "check",
    summary:
      "settings, database, clock, and the mode and permissions of every account; the next three slots of each schedule",
    load: async () => (await import("./check.ts")).check,
  },
  {
    name: "status",
    summary:
      "per account and dataset: last complete run, next run, coverage, what is wrong; exit code 1 when anything is stale",
    hasOptions: true,
    load: async () => (await import("./read/status.ts")).status,
  },
  {
    name: "serve",
    summary: "the pages of a database without collecting into it, until it is stopped (SIGINT or SIGTERM)",
    load: async () => (await import("./run/serve.ts")).serveCommand,
  },
  {
    name: "history",
    summary: "rows of a dataset over a span of time, or as they stood at one instant",
    args: "<dataset>",
    hasOptions: true,
    load: async () => (await import("./read/history.ts")).history,
  },
  {
    name: "report",
    summary: "the history as CSV by day or month, or as a chart",
    args: "[name]",
    hasOptions: true,
    load: async () => (await import("./read/report.ts")).report,
  },
  {
    name: "export",
    summary: "every row of a dataset's history as one file: CSV, NDJSON or Parquet by its name",
    args: "<dataset>",
    hasOptions: true,
    load: async () => (await import("./read/export.ts")).exportCommand,
  },
  {
    name: "sql",
    summary: "one read-only SQL statement with a time limit; the README lists views and decimal functions",
    args: "<statement>",
    hasOptions: true,
    load: async () => (await import("./read/sql.ts")).sql,
  },
  {
    name: "get",
    summary: "one signed read, printed as JSON: for trying things out",
    args: "[endpoint]",
    hasOptions: true,
    load: async () => (await import("./read/get.ts")).get,
  },
  {
    name: "alerts list",
    summary: "what is wrong now, what the rules cannot judge, and what was said last, with what became of it",
    hasOptions: true,
    load: async () => (await import("./alerts/list.ts")).alertsList,
  },
  {
    name: "alerts test",
    summary: "send a made-up alert to ALERT_WEBHOOK_URL and say what came back; exit code 1 when it was not taken",
    load: async () => (await import("./alerts/test.ts")).alertsTest,
  },
  {
    name: "db migrate",
    summary: "bring the database up to this version's tables; start does the same by itself",
    load: async () => (await import("./db/migrate.ts")).dbMigrate,
  },
  {
    name: "db backup",
    summary: "make a complete, verified copy of the database while collecting goes on",
    args: "<path>",
    load: async () => (await import("./db/backup.ts")).dbBackup,
  },
  {
    name: "db restore",
    summary: "put a backup into the place of DATABASE_URL, where there must be no database",
    args: "<path>",
    load: async () => (await import("./db/restore.ts")).dbRestore,
  },
  {
    name: "db verify",
    summary:
      "walk the chain, rebuild every snapshot from the stored rows, count the slots that were due; exit code 1 when anything differs",
    load: async () => (await import("./db/verify.ts")).dbVerify,
  },
  {
    name: "db prune",
    summary: "take the detail out of old days, for good: their runs, first and last snapshots and ranges stay",
    hasOptions: true,
    load: async () => (await import("./db/prune.ts")).dbPrune,
  },
  {
    name: "db replay",
    summary: "derive the stored rows again from the answers as they came, and say what would be different",
    hasOptions: true,
    load: async () => (await import("./db/replay.ts")).dbReplay,
  },
  {
    name: "db import",
    summary: "build a history from exported files, in a database that holds nothing of their datasets",
    args: "<files...>",
    hasOptions: true,
    load: async () => (await import("./db/import.ts")).dbImport,
  },
];

/** The command that these arguments name, behind options and `help` too; null where they name none. */
export function listingOf(args: readonly string[]): Listing | null {
  const words = args.filter((arg) => !arg.startsWith("-"));
  if (words[0] === "help") words.shift();
  return listings.find(({ name }) => name.split(" ").every((word, n) => words[n] === word)) ?? null;
}

/** All of them. */
export const loadCommands = (): Promise<(Listing & Command)[]> =>
  Promise.all(listings.map(async (listing) => ({ ...listing, ...(await listing.load()) })));
