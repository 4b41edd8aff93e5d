/** Lets commands read a history in PostgreSQL: they work on a mirror, an SQLite file that is refreshed before. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Secret } from "../../core/domain.ts";
import { ConfigError, LockedError, StorageError } from "../../core/errors.ts";
import { durationText } from "../../core/text.ts";
import { datasets } from "../../datasets/index.ts";
import type { Environment } from "../../settings/env-file.ts";
import { storage } from "../../settings/sections/collecting.ts";
import { SettingsReader } from "../../settings/setting.ts";
import { Postgres } from "../../store/postgres/connection.ts";
import { lockMs, type Mirrored, mirror, stateOfMirror, withMirrorLock } from "../../store/postgres/copy/mirror.ts";
import type { Command } from "../command.ts";

/**
 * Prepares what a command reads where DATABASE_URL names a PostgreSQL database; does nothing where it names a file.
 * @throws ConfigError where the command cannot work there, with what to do instead
 */
export async function prepareMirror(
  name: string,
  { onPostgres }: Command,
  env: Environment,
  printError: (line: string) => void,
): Promise<void> {
  const { path, postgres } = new SettingsReader(env).value(storage.settings.database);
  if (postgres === null || onPostgres === "own") return;
  if (onPostgres !== "mirror")
    throw new ConfigError([
      `${name} does not work on a PostgreSQL database (DATABASE_URL). ${onPostgres?.instead ?? ""}`,
    ]);
  await refreshMirror(postgres, path, printError);
}

/** Refreshes a mirror and prints its age. Where PostgreSQL cannot be reached, or another process refreshes it, the last one is used. */
async function refreshMirror(url: Secret, path: string, printError: (line: string) => void): Promise<void> {
  const postgres = await Postgres.open(url, { name: "mirror", connections: 1, readOnly: true });
  const ageText = (at: number) => `${new Date(at).toISOString()}, ${durationText(Math.max(0, Date.now() - at))} old`;
  try {
    // Where there is none yet, another process may be making it.
    const ms = stateOfMirror(path) === null ? lockMs.longest : lockMs.once;
    const { at } = await withMirrorLock(path, () => mirror(postgres, path, { datasets, now: Date.now }), { ms });
    printError(`mirror of PostgreSQL at ${postgres.address.text}: state of ${ageText(at)}`);
  } catch (error) {
    const last = error instanceof StorageError || error instanceof LockedError ? stateOfMirror(path) : null;
    if (last === null) throw error;
    printError(`${(error as Error).message} This is the mirror of ${ageText(last.at)}.`);
  } finally {
    await postgres.close();
  }
}

/** The pause between two passes, and the smallest multiple of the time of a pass. */
const pauseMs = 1000;
const pauseFactor = 10;

export interface FollowOptions {
  signal: AbortSignal;
  printError(line: string): void;
  /** Called after each pass. */
  onPass?(done: Mirrored): void;
  /** Whether the first pass is also the last one. Then an error ends it. */
  isOnce?: boolean;
}

/**
 * Copies a history in PostgreSQL to a file again and again until aborted. Where PostgreSQL cannot be reached it prints one line, and
 * one when it is back. @throws ConfigError where the file is no mirror of this history
 */
export async function followMirror(url: Secret, path: string, options: FollowOptions): Promise<void> {
  const { signal, printError, onPass, isOnce = false } = options;
  const postgres = await Postgres.open(url, { name: "mirror", connections: 1, readOnly: true });
  let isAway = false;
  try {
    while (!signal.aborted) {
      const began = performance.now();
      try {
        const pass = () => mirror(postgres, path, { datasets, now: Date.now, signal });
        // What `start` reconciles in the mirror may take longer than a pass.
        const done = await withMirrorLock(path, pass, { ms: isOnce ? lockMs.once : lockMs.longest, signal });
        if (isAway) printError(`PostgreSQL at ${postgres.address.text} is reached again; the mirror is up to date.`);
        isAway = false;
        onPass?.(done);
        if (isOnce) return;
      } catch (error) {
        if (isOnce || !(error instanceof StorageError || error instanceof LockedError)) throw error;
        if (!isAway) printError(`${error.message} Trying again until it works.`);
        isAway = true;
      }
      const pause = Math.max(pauseMs, pauseFactor * (performance.now() - began));
      await sleep(pause, null, { signal }).catch(() => {});
    }
  } finally {
    await postgres.close();
  }
}
