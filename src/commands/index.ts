/**
 * Lists every command in the order of the help. Only names and summaries are here; the module of a command is loaded when the command
 * is run, so that a short command does not load the dependencies of all others.
 */
import { type Command, type CommandSummary, findIn } from "./command.ts";

/** The entries of all commands, in the order of the help. */
export const commandSummaries: readonly CommandSummary[] = [
  {
    name: "init",
    group: "Collect",
    summary: "ask for the key, check it with the exchange, and write .env",
    hasOptions: true,
    load: async () => (await import("./run/init.ts")).init,
  },
  {
    name: "start",
    group: "Collect",
    summary: "collect on schedule until stopped (SIGINT or SIGTERM)",
    load: async () => (await import("./run/start.ts")).start,
  },
  {
    name: "demo",
    group: "Collect",
    summary: "run the daemon against a simulated exchange, in ./data/demo.db: 30 days of history, then live",
    hasOptions: true,
    load: async () => (await import("./run/demo/demo.ts")).demo,
  },
  {
    name: "collect",
    group: "Collect",
    summary: "run the named datasets now, or all; exit code 0 all ok, 3 some ok, 1 none ok",
    args: "[dataset...]",
    hasOptions: true,
    load: async () => (await import("./collect.ts")).collect,
  },
  {
    name: "status",
    group: "Read",
    summary:
      "show per account and dataset: last success, next run, coverage, errors; exit code 1 when anything is stale",
    hasOptions: true,
    load: async () => (await import("./read/status.ts")).status,
  },
  {
    name: "history",
    group: "Read",
    summary: "print the rows of a dataset over a period, or its state at one time",
    args: "<dataset>",
    hasOptions: true,
    load: async () => (await import("./read/history.ts")).history,
  },
  {
    name: "reconcile",
    group: "Read",
    summary:
      "compare the exchange's ledger with the snapshots and print what it proves; exit code 1 when anything breaks",
    hasOptions: true,
    load: async () => (await import("./read/reconcile.ts")).reconcileCommand,
  },
  {
    name: "runs",
    group: "Read",
    summary: "list runs: each due slot with its state and cause",
    hasOptions: true,
    load: async () => (await import("./runs/runs.ts")).runsCommand,
  },
  {
    name: "gaps",
    group: "Read",
    summary: "list the stretches without a good snapshot, and why",
    hasOptions: true,
    load: async () => (await import("./runs/gaps.ts")).gapsCommand,
  },
  {
    name: "sql",
    group: "Read",
    summary:
      "run one read-only SQL statement with a time limit; --schema lists views and columns, docs/guides/querying.md explains them",
    args: "[statement]",
    hasOptions: true,
    load: async () => (await import("./read/sql.ts")).sql,
  },
  {
    name: "get",
    group: "Read",
    summary: "send one signed GET request and print the response as JSON",
    args: "[endpoint]",
    hasOptions: true,
    load: async () => (await import("./read/get.ts")).get,
  },
  {
    name: "serve",
    group: "Read",
    summary: "serve the dashboard of a database without collecting, until stopped (SIGINT or SIGTERM)",
    load: async () => (await import("./run/serve.ts")).serveCommand,
  },
  {
    name: "open",
    group: "Read",
    summary: "open the dashboard, or a page of it, in the browser",
    args: "[page]",
    load: async () => (await import("./run/open.ts")).openCommand,
  },
  {
    name: "report",
    group: "Report",
    summary: "write the history as CSV by day or month, or as a chart",
    args: "[name]",
    hasOptions: true,
    load: async () => (await import("./read/report.ts")).report,
  },
  {
    name: "statement",
    group: "Report",
    summary: "write the statement of one account and month as HTML, to print",
    args: "[month]",
    hasOptions: true,
    load: async () => (await import("./books/statement.ts")).statement,
  },
  {
    name: "books",
    group: "Report",
    summary: "write the books of a month as one ZIP file: balances, equity, ledger, coverage, statements",
    args: "[month]",
    hasOptions: true,
    load: async () => (await import("./books/books.ts")).books,
  },
  {
    name: "export",
    group: "Report",
    summary: "write every row of a dataset's history to one file: CSV, NDJSON or Parquet, by its extension",
    args: "<dataset>",
    hasOptions: true,
    load: async () => (await import("./read/export.ts")).exportCommand,
  },
  {
    name: "check",
    alias: "doctor",
    group: "Operate",
    summary:
      "check this machine, the settings, the history, and the key of every account; show the next slots; say what to fix",
    hasOptions: true,
    load: async () => (await import("./check/check.ts")).check,
  },
  {
    name: "accounts discover",
    group: "Operate",
    summary: "list the sub-accounts that the key of a main account can see, and what can be read of them with it",
    hasOptions: true,
    load: async () => (await import("./accounts/discover.ts")).accountsDiscover,
  },
  {
    name: "accounts retire",
    group: "Operate",
    summary: "end the schedules of an account that no settings have any more; its history stays",
    args: "<name>",
    hasOptions: true,
    load: async () => (await import("./accounts/retire.ts")).accountsRetire,
  },
  {
    name: "alerts list",
    group: "Operate",
    summary: "list open alerts, rules that cannot be evaluated now, and the last notifications with their delivery",
    hasOptions: true,
    load: async () => (await import("./alerts/list.ts")).alertsList,
  },
  {
    name: "alerts test",
    group: "Operate",
    summary: "send a test alert to ALERT_WEBHOOK_URL and print the response; exit code 1 when it was not accepted",
    load: async () => (await import("./alerts/test.ts")).alertsTest,
  },
  {
    name: "completion",
    group: "Operate",
    summary: "print a script that completes commands, options and names in bash, zsh or fish",
    args: "<shell> [words...]",
    load: async () => (await import("./completion.ts")).completionOf(commandSummaries),
  },
  {
    name: "db mirror",
    group: "Database",
    summary: "make an SQLite file of a history in PostgreSQL, or bring it up to date",
    hasOptions: true,
    load: async () => (await import("./db/mirror.ts")).dbMirror,
  },
  {
    name: "db ship",
    group: "Database",
    summary: "copy the history to PostgreSQL (SHIP_DATABASE_URL), or bring the copy up to date",
    hasOptions: true,
    load: async () => (await import("./db/ship.ts")).dbShip,
  },
  {
    name: "db migrate",
    group: "Database",
    summary: "upgrade the database to this version's schema; start does the same by itself",
    load: async () => (await import("./db/migrate.ts")).dbMigrate,
  },
  {
    name: "db backup",
    group: "Database",
    summary: "make a complete, verified copy of the database; the daemon may keep running",
    args: "<path>",
    load: async () => (await import("./db/backup.ts")).dbBackup,
  },
  {
    name: "db restore",
    group: "Database",
    summary: "restore a verified backup to DATABASE_URL, where no database may exist yet",
    args: "<path>",
    load: async () => (await import("./db/restore.ts")).dbRestore,
  },
  {
    name: "db verify",
    group: "Database",
    hasOptions: true,
    summary:
      "recompute the chain, rebuild every snapshot from the stored rows, check that every due slot has a run; exit code 1 when anything differs",
    load: async () => (await import("./db/verify.ts")).dbVerify,
  },
  {
    name: "db prune",
    group: "Database",
    summary:
      "delete intraday snapshots of old days (irreversible); runs, first and last snapshots and daily ranges stay",
    hasOptions: true,
    load: async () => (await import("./db/prune.ts")).dbPrune,
  },
  {
    name: "db replay",
    group: "Database",
    summary: "parse the stored raw responses again and show which rows would change",
    hasOptions: true,
    load: async () => (await import("./db/replay.ts")).dbReplay,
  },
  {
    name: "db import",
    group: "Database",
    summary: "build a history from exported files; their datasets must have no data in the database yet",
    args: "<files...>",
    hasOptions: true,
    load: async () => (await import("./db/import.ts")).dbImport,
  },
];

/** Returns the command that the arguments name; null if they name none. */
export const findCommand = (args: readonly string[]): CommandSummary | null => findIn(commandSummaries, args);

/** Loads every command, for the documentation and the tests. */
export const loadCommands = (): Promise<(CommandSummary & Command)[]> =>
  Promise.all(commandSummaries.map(async (summary) => ({ ...summary, ...(await summary.load()) })));
