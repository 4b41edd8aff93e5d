/** Twenty accounts, every dataset every second, for most of a minute's budget: more than the exchange allows. No request may exceed a limit. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, it, onTestFinished } from "vitest";
import { snapshotDatasets } from "../../src/datasets/index.ts";
import { startExchange } from "../support/exchange.ts";
import { temporaryFolder } from "../support/files.ts";
import { start } from "../support/program.ts";
import { credentials, everyDataset } from "../support/settings.ts";
import { until } from "../support/wait.ts";

const names = Array.from({ length: 20 }, (_, n) => `desk${n}`);

it("keeps every limit in every sliding window and signs every request correctly", async () => {
  const accounts = names.map((name, n) => ({
    name,
    key: `bg_${name}0123456789abcdef`,
    secret: `secret-of-${name}-0123456789`,
    passphrase: `passphrase-of-${name}`,
    mode: n % 2 === 0 ? ("classic" as const) : ("unified" as const),
  }));
  const exchange = await startExchange({ accounts, latencyMs: 20, recordLimit: 1 });
  onTestFinished(() => exchange.close());
  const directory = temporaryFolder();
  const daemon = start(["start"], directory, {
    BITGET_ACCOUNTS: names.join(),
    BITGET_BASE_URL: exchange.url,
    LOG_LEVEL: "warn",
    ...everyDataset("* * * * * *"),
    ...Object.assign({}, ...accounts.map((account) => credentials(account, `BITGET_${account.name.toUpperCase()}`))),
  });
  // The budget of one internet address is 6000 a minute.
  await until(() => exchange.counts.requests > 5000 || daemon.child.exitCode !== null);
  daemon.child.kill("SIGTERM");
  const { code } = await daemon.finished;
  expect(code).toBe(0);
  expect(exchange.counts).toMatchObject({ limitViolations: 0, badSignatures: 0 });
  const database = new Database(join(directory, "data", "collector.db"), { readonly: true });
  const perSeries = database
    .prepare(
      `select count(*) as slots, count(distinct scheduled_for) as different,
              1 + round((julianday(max(scheduled_for)) - julianday(min(scheduled_for))) * 86400) as due
       from runs group by account, dataset`,
    )
    .all() as { slots: number; different: number; due: number }[];
  expect(perSeries).toHaveLength(snapshotDatasets.reduce((sum, one) => sum + (one.public ? 1 : names.length), 0));
  for (const { slots, different, due } of perSeries) expect([slots, different]).toEqual([due, due]);
  expect(database.prepare("select count(*) from runs where state = 'running'").pluck().get()).toBe(0);
});
