/** Every command, in the order of the help. */
import { check } from "./check.ts";
import { collect } from "./collect.ts";
import type { Command } from "./command.ts";
import { dbBackup } from "./db-backup.ts";
import { dbImport } from "./db-import.ts";
import { dbMigrate } from "./db-migrate.ts";
import { dbPrune } from "./db-prune.ts";
import { dbReplay } from "./db-replay.ts";
import { dbRestore } from "./db-restore.ts";
import { dbVerify } from "./db-verify.ts";
import { demo } from "./demo.ts";
import { exportCommand } from "./export.ts";
import { get } from "./get.ts";
import { history } from "./history.ts";
import { report } from "./report.ts";
import { sql } from "./sql.ts";
import { start } from "./start.ts";
import { status } from "./status.ts";

export const commands: readonly Command[] = [
  start,
  demo,
  collect,
  check,
  status,
  history,
  report,
  exportCommand,
  sql,
  get,
  dbMigrate,
  dbBackup,
  dbRestore,
  dbVerify,
  dbPrune,
  dbReplay,
  dbImport,
];
