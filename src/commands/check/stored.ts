/** Checks the stored history: the database, the end of its chain, its newest backup, and the feeds. */
import { existsSync, readFileSync } from "node:fs";
import type { Secret } from "../../core/domain.ts";
import { durationText, namesByText } from "../../core/text.ts";
import { dayMs, minuteMs } from "../../core/time.ts";
import type { Config } from "../../settings/config.ts";
import type { ChainEnd, Freshness } from "../../store/history.ts";
import { backupNote } from "../../store/responses/own-files.ts";
import { checkDatabase } from "../../store/transfer/migrate.ts";
import { failed, messageOf, ok, type Result, warning } from "./finding.ts";

/** Checks a database file, which need not exist yet. */
export function checkFile(path: string): Result {
  if (!existsSync(path)) return ok(`${path} does not exist yet; the first start or collect creates it`);
  try {
    return ok(`${path} ${checkDatabase(path)}`);
  } catch (error) {
    return failed(messageOf(error));
  }
}

/** Checks a history in PostgreSQL, which need not exist yet. */
export async function checkPostgres(url: Secret): Promise<Result> {
  const { describeHistory } = await import("../../store/postgres/copy/mirror.ts");
  try {
    return ok(await describeHistory(url));
  } catch (error) {
    return failed(messageOf(error));
  }
}

/** The age above which the end of the chain is noted. Milliseconds. */
const maxChainAgeMs = dayMs;

/** Checks the age of the newest link of the chain; `now` is epoch ms. */
export function checkChain(end: ChainEnd | null, now: number): Result {
  if (end === null || end.at === null) return ok("has no run yet");
  const age = now - end.at;
  const head = `its head is ${end.digest.slice(0, 16)}…`;
  if (age < -minuteMs)
    return failed(`the newest run ended ${durationText(-age)} after this machine's time`, "set this machine's clock");
  if (age > maxChainAgeMs)
    return warning(
      `nothing was added for ${durationText(age)}; ${head}`,
      "start the collector with `bitget-collector start`",
    );
  return ok(`continued ${durationText(Math.max(0, age))} ago; ${head}`);
}

/** The age above which a backup is old. Milliseconds. */
const maxBackupAgeMs = 7 * dayMs;

/** Checks the age of the newest copy that `db backup` made; `now` is epoch ms. */
export function checkBackup({ databasePath, shipTo }: Pick<Config, "databasePath" | "shipTo">, now: number): Result {
  if (shipTo) return ok("the history is copied to PostgreSQL (SHIP_DATABASE_URL)");
  const advice = "run `bitget-collector db backup PATH`, with a path on another disk";
  const last = lastBackup(databasePath);
  if (last === null) return warning("no copy of `db backup` is known", advice);
  const text = `${last.path} is ${durationText(Math.max(0, now - last.at))} old`;
  return now - last.at > maxBackupAgeMs ? warning(text, advice) : ok(text);
}

/** Returns where `db backup` made its last copy, and when (epoch ms); null where that is not known. */
function lastBackup(databasePath: string): { path: string; at: number } | null {
  try {
    const { path, at } = JSON.parse(readFileSync(backupNote(databasePath), "utf8")) as { path: unknown; at: unknown };
    const time = Date.parse(String(at));
    return typeof path === "string" && !Number.isNaN(time) ? { path, at: time } : null;
  } catch {
    return null;
  }
}

/** Checks that each scheduled dataset is fresh. `isCollecting`: whether a collector runs; null where that is not known. */
export function checkFeeds(all: readonly Freshness[], isCollecting: boolean | null): Result {
  if (all.length === 0) return ok("nothing is scheduled yet; `bitget-collector start` begins");
  const stale = all.filter(({ fresh }) => !fresh);
  if (stale.length === 0) return ok(`${all.length} of ${all.length} are fresh`);
  const names = namesByText(stale.map(({ account, dataset }) => [account, dataset] as const))
    .map(([account, datasets]) => `${account} ${datasets.join(", ")}`)
    .join("; ");
  const text = `${stale.length} of ${all.length} are stale: ${names}`;
  if (isCollecting === false)
    return warning(`${text}; the collector is not running`, "start it with `bitget-collector start`");
  return failed(text, "`bitget-collector status` names the errors");
}
