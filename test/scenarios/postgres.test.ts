/** The program with the simulated exchange and its history in PostgreSQL. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { describePostgres, newHistory } from "../store/postgres/kit.ts";
import { startExchange } from "../support/exchange.ts";
import { temporaryFolder } from "../support/files.ts";
import { run } from "../support/program.ts";
import { classic, credentials, unified } from "../support/settings.ts";

describePostgres("with a history in PostgreSQL", () => {
  it("`collect` records every dataset, and `db verify` finds nothing wrong in a mirror of it", async () => {
    const exchange = await startExchange({ accounts: [classic, unified] });
    onTestFinished(() => exchange.close());
    const folder = temporaryFolder();
    const env = {
      DATABASE_URL: await newHistory(),
      BITGET_BASE_URL: exchange.url,
      BITGET_ACCOUNTS: "main,hedge",
      WORKER_NAME: "desk-1",
      ...credentials(classic),
      ...credentials(unified, "BITGET_HEDGE"),
    };
    const first = await run(["collect"], folder, env);
    expect([first.code, first.stderr]).toEqual([0, expect.not.stringContaining('"level":50')]);
    expect((await run(["collect", "spot-assets"], folder, env)).code).toBe(0);
    const verified = await run(["db", "verify"], folder, env);
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringMatching(/chain/)]);
    const runs = await run(
      [
        "sql",
        "select account, dataset, state, worker, rows > 0 as has_rows from runs where dataset = 'spot-assets'",
        "--format",
        "json",
      ],
      folder,
      env,
    );
    const worker = expect.stringMatching(/^desk-1\/\d+$/);
    const stored = { dataset: "spot-assets", state: "ok", worker, has_rows: 1 };
    expect(JSON.parse(runs.stdout)).toEqual(
      expect.arrayContaining([
        { account: "main", ...stored },
        { account: "hedge", ...stored },
      ]),
    );
    // Raw responses belong to a database file.
    expect(existsSync(join(folder, "data/collector.db"))).toBe(false);
  });
});
