#!/usr/bin/env node
/** Runs one command and exits with its code; what concerns the whole process is set here. */
import { reportError, runProgram } from "./commands/program.ts";
import { exitWith, ignoreOtherSignals } from "./commands/run/signals.ts";

// Files written from here on (database, lock, reports) are readable only by this user.
process.umask(0o077);

ignoreOtherSignals();

// A closed pipe or a full disk under the log must not stop the daemon.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

for (const event of ["uncaughtException", "unhandledRejection"])
  process.on(event, (error: unknown) => void reportError(error).then(exitWith));
exitWith(await runProgram(process.argv.slice(2)));
