/** Every command. One is loaded when it is asked for: most need little of what all of them together need. */
import type { Command } from "./command.ts";

/** By name, in the order of the help. */
const commands: Record<string, () => Promise<Command>> = {
  start: async () => (await import("./start.ts")).start,
  demo: async () => (await import("./demo.ts")).demo,
  collect: async () => (await import("./collect.ts")).collect,
  check: async () => (await import("./check.ts")).check,
  status: async () => (await import("./status.ts")).status,
  serve: async () => (await import("./serve.ts")).serveCommand,
  history: async () => (await import("./history.ts")).history,
  report: async () => (await import("./report.ts")).report,
  export: async () => (await import("./export.ts")).exportCommand,
  sql: async () => (await import("./sql.ts")).sql,
  get: async () => (await import("./get.ts")).get,
  "alerts list": async () => (await import("./alerts-list.ts")).alertsList,
  "alerts test": async () => (await import("./alerts-test.ts")).alertsTest,
  "db migrate": async () => (await import("./db-migrate.ts")).dbMigrate,
  "db backup": async () => (await import("./db-backup.ts")).dbBackup,
  "db restore": async () => (await import("./db-restore.ts")).dbRestore,
  "db verify": async () => (await import("./db-verify.ts")).dbVerify,
  "db prune": async () => (await import("./db-prune.ts")).dbPrune,
  "db replay": async () => (await import("./db-replay.ts")).dbReplay,
  "db import": async () => (await import("./db-import.ts")).dbImport,
};

/** The command that these arguments begin with; all of them where they begin with none, as for the help. */
export function loadCommands(args: readonly string[] = []): Promise<Command[]> {
  const names = Object.keys(commands);
  const asked = names.filter((name) => name.split(" ").every((word, n) => args[n] === word));
  return Promise.all((asked.length > 0 ? asked : names).flatMap((name) => commands[name]?.() ?? []));
}
