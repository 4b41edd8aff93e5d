/** Every command, in the order of the help. */
import { check } from "./check.ts";
import { collect } from "./collect.ts";
import type { Command } from "./command.ts";
import { dbBackup } from "./db-backup.ts";
import { dbMigrate } from "./db-migrate.ts";
import { dbRestore } from "./db-restore.ts";
import { dbVerify } from "./db-verify.ts";
import { demo } from "./demo.ts";
import { get } from "./get.ts";
import { history } from "./history.ts";
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
  sql,
  get,
  dbMigrate,
  dbBackup,
  dbRestore,
  dbVerify,
];
