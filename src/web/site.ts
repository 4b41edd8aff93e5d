/** What a part of the site works with. A part is a function `(site: Site) => Hono`, mounted by server.ts. */
import { HTTPException } from "hono/http-exception";
import { type Changes, watchChanges } from "./reading/changes.ts";
import { Reader } from "./reading/reader.ts";

export interface Site {
  databasePath: string;
  /** The IANA name of the time zone whose days the pages show. */
  timezone: string;
  sqlTimeoutSeconds: number;
  /** Our clock, epoch ms. */
  now(): number;
  /** Every look into the database. */
  reader: Reader;
  /** Tells of what was stored since. */
  changes: Changes;
  /** Null under `serve`: these pages are nobody's. */
  daemon: Daemon | null;
  close(): void;
}

export type SiteSettings = Pick<Site, "databasePath" | "timezone" | "sqlTimeoutSeconds">;

export function openSite({ databasePath, timezone, sqlTimeoutSeconds }: SiteSettings, daemon: Daemon | null): Site {
  const reader = new Reader(databasePath, sqlTimeoutSeconds);
  const changes = watchChanges(databasePath);
  return {
    databasePath,
    timezone,
    sqlTimeoutSeconds,
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

/** The process that collects. Both reject with a sentence where it does not answer in time. */
export interface Daemon {
  /** Resolves when it had a moment for us, with what keeps it from collecting; empty where nothing does. */
  ping(): Promise<string>;
  /** Its figures, as Prometheus reads them. */
  metrics(): Promise<string>;
}

/** Answers 400. `sentence` is for the person: which parameter, what it can be. */
export const badRequest = (sentence: string): HTTPException => new HTTPException(400, { message: sentence });

/** Answers 404: the coin or position that was asked for is not known. */
export const notFound = (sentence: string): HTTPException => new HTTPException(404, { message: sentence });
