/** Runs each query of the Grafana dashboard for PostgreSQL on a history. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { equity } from "../../../src/datasets/snapshots/equity.ts";
import { temporaryFolder } from "../../support/files.ts";
import { collect, failed, good, item, minute, start, storeAt } from "../kit.ts";
import { positions } from "../minutes.ts";
import { fill } from "./fill.ts";
import { connected, describePostgres, newHistory } from "./kit.ts";

interface Dashboard {
  templating: { list: { name: string; type: string; query: string }[] };
  panels: { title: string; targets: { rawSql: string }[] }[];
}

const dashboard: Dashboard = JSON.parse(readFileSync("deploy/grafana/bitget-collector-postgresql.json", "utf8"));

/** Replaces what Grafana replaces before it sends a query. */
const sent = (sql: string): string =>
  sql
    .replace(/\$__timeFilter\((\w+)\)/g, "$1 between '2026-11-01T00:00:00Z' and '2026-11-02T00:00:00Z'")
    .replace(/\$\{account:sqlstring\}/g, "'main','hedge'");

describePostgres("the Grafana dashboard for PostgreSQL", () => {
  it("has queries that find rows in the typed views, with times and numbers", async () => {
    const postgres = await connected(await newHistory());
    const path = join(temporaryFolder(), "original.db");
    const store = await storeAt(path);
    await store.setSchedule("main", "positions", "* * * * *", start - minute);
    const held = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: "2" };
    await collect(store, positions, start, { snapshots: [good([item(positions, held)], start, "umcbl")] });
    await collect(store, equity, start, {
      snapshots: [good([item(equity, { usdtEquity: "12.5", complete: 1 })], start)],
    });
    await collect(store, equity, start + minute, { failures: [failed("40014", start + minute)] });
    store.close();
    await fill(postgres, path);
    await postgres.run("insert into worker values ('desk-1', 1793491200000, '0.2.0', '{}', 2, null)");
    const [, account] = dashboard.templating.list;
    expect(await postgres.query(account?.query ?? "")).toEqual([{ account: "main" }]);
    expect(dashboard.panels.length).toBe(6);
    for (const { title, targets } of dashboard.panels)
      for (const { rawSql } of targets) {
        expect(sent(rawSql), title).not.toContain("$");
        expect(await postgres.query(sent(rawSql)), title).not.toEqual([]);
      }
    const [first] = dashboard.panels;
    const [row] = await postgres.query(sent(first?.targets[0]?.rawSql ?? ""));
    expect(row).toEqual({ time: new Date(start), metric: "main", value: "12.5" });
  });
});
