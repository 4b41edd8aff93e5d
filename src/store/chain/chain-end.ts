/** Reads the newest link of the chain. */
import type { ChainEnd } from "../history.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** Returns the newest link; null before the first. */
export function chainEnd(sqlite: Sqlite): ChainEnd | null {
  const last = sqlite.prepare<[], Buffer>("select digest from link order by id desc limit 1").pluck().get();
  if (last === undefined) return null;
  const at = sqlite
    .prepare<[], number>(
      `select r.slot + coalesce(r.late_ms, 0) + coalesce(r.took_ms, 0) from link l join run r on r.id = l.run_id
       order by l.id desc limit 1`,
    )
    .pluck()
    .get();
  return { digest: last.toString("hex"), at: at ?? null };
}
