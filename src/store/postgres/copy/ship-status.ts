/** Says how far the copy in PostgreSQL is behind its SQLite file. */
import type { Secret } from "../../../core/domain.ts";
import { CollectorError } from "../../../core/errors.ts";
import { openReadOnly } from "../../sqlite/database.ts";
import { Postgres } from "../connection.ts";

export interface ShipStatus {
  /** Server, database and schema. */
  target: string;
  /** Links of the chain that the copy lacks; null where PostgreSQL cannot be read, see `problem`. */
  linksBehind: number | null;
  /** When the first run that the copy lacks ended, epoch ms; null where it lacks none or that is unknown. */
  behindSince: number | null;
  /** Whether the first copy is not complete yet, see docs/guides/postgresql.md. */
  isFirstCopy: boolean;
  problem: string | null;
}

/** Compares the file at `path` with its copy. */
export async function shipStatus(path: string, url: Secret): Promise<ShipStatus> {
  const postgres = await Postgres.open(url, { name: "status", connections: 1, readOnly: true });
  const sqlite = openReadOnly(path);
  const target = postgres.address.text;
  try {
    const found = await postgres.query<{ there: boolean }>("select to_regclass('shipped') is not null as there");
    const [position] = found[0]?.there
      ? await postgres.query<{ link: number; at: number }>("select link, at from shipped")
      : [];
    const { links, since } = sqlite
      .prepare<[number], { links: number; since: number | null }>(
        `select count(*) as links, min(r.slot + coalesce(r.late_ms, 0) + coalesce(r.took_ms, 0)) as since
         from link l left join run r on r.id = l.run_id where l.id > ?`,
      )
      .get(position?.link ?? 0) ?? { links: 0, since: null };
    return { target, linksBehind: links, behindSince: since, isFirstCopy: !position?.at, problem: null };
  } catch (error) {
    if (!(error instanceof CollectorError)) throw error;
    return { target, linksBehind: null, behindSince: null, isFirstCopy: false, problem: error.message };
  } finally {
    sqlite.close();
    await postgres.close();
  }
}
