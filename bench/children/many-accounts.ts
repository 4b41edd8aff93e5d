/**
 * Collects from many accounts of the simulated exchange with the real clock, and reports what it cost and how late it was. The first
 * two minutes are not measured: they probe the keys and write the first row of everything.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openApp, openDaemon, preflight } from "../../src/app.ts";
import { loadConfig } from "../../src/settings/config.ts";
import { query } from "../../test/store/kit.ts";
import { everyDataset } from "../../test/support/settings.ts";
import { accountsOf } from "../exchange.ts";
import { percentile } from "../figure.ts";
import { newFolder } from "../folder.ts";

/** What the process reports when it is done. */
export interface ManyAccounts {
  /** From a slot to the time that the exchange put on the response, 99th percentile and longest. */
  lateMs: number;
  longestMs: number;
  /** User and system time per minute and account. */
  cpuMs: number;
  /** The largest resident memory. */
  memoryBytes: number;
  /** Slots by state, of the minutes that were measured. */
  states: Record<string, number>;
}

const [url = "", count = "1", minutes = "1"] = process.argv.slice(2);
const minute = 60_000;
const folder = newFolder();
const file = join(folder, "accounts.json");
const entries = accountsOf(Number(count)).map(({ name, key, secret, passphrase }) => ({
  name,
  key,
  secret,
  passphrase,
}));
writeFileSync(file, JSON.stringify(entries), { mode: 0o600 });
const app = await openApp(
  loadConfig({
    BITGET_ACCOUNTS_FILE: file,
    BITGET_BASE_URL: url,
    BITGET_PRODUCT_TYPES: "umcbl",
    DATABASE_URL: `file:${join(folder, "collector.db")}`,
    HTTP_PORT: "",
    LOG_LEVEL: "error",
    SCHEDULE_REPORTS: "",
    SOURCE_ADDRESSES: "127.0.0.1,127.0.0.2,127.0.0.3",
    ...everyDataset("* * * * *"),
  }),
);
await preflight(app);
const daemon = await openDaemon(app, (error) => {
  throw error;
});
daemon.start();
let memoryBytes = 0;
const sampling = setInterval(() => {
  memoryBytes = Math.max(memoryBytes, process.memoryUsage.rss());
}, 1000);
const from = Math.ceil(Date.now() / minute) * minute + minute;
const to = from + Number(minutes) * minute;
await sleep(from - Date.now());
const before = process.cpuUsage();
await sleep(to - Date.now());
const { user, system } = process.cpuUsage(before);
clearInterval(sampling);
await daemon.stop();
app.close();
const span = `r.scheduled_for_ms >= ${from} and r.scheduled_for_ms < ${to}`;
const late = query(
  app.store.path,
  `select s.taken_at_ms - r.scheduled_for_ms as ms from snapshots s join runs r on r.run_id = s.run_id where s.state = 'ok' and ${span}`,
).map(({ ms }) => Number(ms));
const states = query(app.store.path, `select r.state as state, count(*) as runs from runs r where ${span} group by 1`);
rmSync(folder, { recursive: true });
const found: ManyAccounts = {
  lateMs: percentile(late, 99),
  longestMs: percentile(late, 100),
  cpuMs: (user + system) / 1000 / Number(minutes) / Number(count),
  memoryBytes,
  states: Object.fromEntries(states.map(({ state, runs }) => [String(state), Number(runs)])),
};
process.send?.(found);
process.disconnect?.();
