/** Defines the dependencies that all routes share. A route is a function `(site: Site) => Hono` that server.ts mounts. */
import { HTTPException } from "hono/http-exception";
import { escapeControlChars } from "../core/text.ts";
import type { ShownSetting } from "../settings/sections/shown.ts";
import { type Changes, watchChanges } from "./reading/changes.ts";
import { Reader } from "./reading/reader.ts";

/** The dependencies of the routes. */
export interface Site {
  databasePath: string;
  /** Whether the database is a mirror, into which no process of this machine collects. */
  isMirror: boolean;
  /** The IANA name of the time zone whose days the pages show. */
  timezone: string;
  sqlTimeoutSeconds: number;
  /** The folder of the daily reports; null where there is none. */
  reportsDirectory: string | null;
  /** The settings of this process, which are in force if it belongs to the one that collects; empty where they are not known. */
  settings: readonly ShownSetting[];
  /** Returns the time of this machine's clock, epoch ms. */
  now(): number;
  /** Reads the database for every page. */
  reader: Reader;
  /** Notifies open pages of new data. */
  changes: Changes;
  /** Null under `serve`, which runs without a daemon. */
  daemon: Daemon | null;
  close(): void;
}

export interface SiteSettings extends Pick<Site, "databasePath" | "timezone" | "sqlTimeoutSeconds"> {
  /** The folder of the daily reports; null or missing: there is none. */
  reportsDirectory?: string | null;
  /** Of what the database is a mirror; null or missing: of nothing. */
  postgres?: unknown;
  /** Default: none are known. */
  settings?: readonly ShownSetting[];
}

/** Opens the shared dependencies of the routes. `daemon` is null for `serve`. */
export function openSite(settings: SiteSettings, daemon: Daemon | null): Site {
  const { databasePath, timezone, sqlTimeoutSeconds, postgres = null, reportsDirectory = null } = settings;
  const reader = new Reader(databasePath, sqlTimeoutSeconds);
  const changes = watchChanges(databasePath);
  return {
    databasePath,
    isMirror: postgres !== null,
    timezone,
    sqlTimeoutSeconds,
    reportsDirectory,
    settings: settings.settings ?? [],
    now: () => Date.now(),
    reader,
    changes,
    daemon,
    close() {
      reader.close();
      changes.close();
    },
  };
}

/** The collecting daemon. Both methods reject with a sentence when it does not answer in time. */
export interface Daemon {
  /** Resolves with a sentence about what prevents the daemon from collecting, or "" while nothing does. */
  ping(): Promise<string>;
  /** Resolves with the daemon's metrics in the Prometheus text format. */
  metrics(): Promise<string>;
}

/** Returns an HTTP 400 error. `sentence` is shown to the user: which parameter is invalid, and which values are valid. */
export const badRequest = (sentence: string): HTTPException => new HTTPException(400, { message: sentence });

/** Returns an HTTP 400 error about a parameter; `expected` are the values that it may have, such as "day or month". */
export const invalidParam = (name: string, value: string, expected: string): HTTPException =>
  badRequest(`Invalid value "${escapeControlChars(value)}": "${name}" must be ${expected}.`);

/** Returns an HTTP 404 error, for a coin or position that is not in the database. */
export const notFound = (sentence: string): HTTPException => new HTTPException(404, { message: sentence });
