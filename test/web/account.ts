/** Serves the dashboard of accounts whose snapshots a test records, with a clock that the test sets. */

import type { Row, Scope } from "../../src/core/domain.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import type { Daemon, Site } from "../../src/web/site.ts";
import { scheduleAll, storeRun } from "../reports/kit.ts";
import { minute, start } from "../store/kit.ts";
import { fetchOnce } from "../support/http.ts";
import { startSite } from "./site.ts";

/** Schedules every minute for each account, and sets the clock to this number of minutes after `start`. */
export async function startAccounts({
  minutes,
  accounts = ["main"],
  ...site
}: {
  minutes: number;
  accounts?: string[];
  daemon?: Daemon | null;
  settings?: Site["settings"];
}) {
  let now = start + minutes * minute + 5000;
  const started = await startSite({ site: { now: () => now, ...site } });
  for (const account of accounts) await scheduleAll(started.store, "* * * * *", start - minute, account);
  const request = (path: string) => fetchOnce(new URL(path, started.url));
  return {
    ...started,
    /** Records a run of the slot this number of minutes after `start`. */
    record: (dataset: Dataset, at: number, rows: Row[], account = "main", scope: Scope = null) =>
      storeRun(started.store, dataset, start + at * minute, rows, scope, account),
    /** Sets the clock. */
    goTo(minutes: number) {
      now = start + minutes * minute + 5000;
    },
    request,
    page: async (path: string) => (await request(path)).text(),
    // biome-ignore lint/suspicious/noExplicitAny: the response is compared with literals
    json: async (path: string): Promise<any> => (await request(path)).json(),
  };
}
