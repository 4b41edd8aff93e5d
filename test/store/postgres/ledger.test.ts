/** The reconciliation of the exchange's ledger in a copy in PostgreSQL, and in a mirror of it. */
import { getTableName } from "drizzle-orm";
import { expect, it, onTestFinished } from "vitest";
import { normalize } from "../../../src/core/decimal.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { forgetReconciliation } from "../../../src/store/ledger/ledger-rows.ts";
import { reconcileFile } from "../../../src/store/ledger/reconcile-file.ts";
import { mirror } from "../../../src/store/postgres/copy/mirror.ts";
import { Shipper } from "../../../src/store/postgres/copy/ship.ts";
import { ledgerTables } from "../../../src/store/schema/derived/ledger-tables.ts";
import { openWriter } from "../../../src/store/sqlite/database.ts";
import { classic } from "../../support/settings.ts";
import { createWorld } from "../../support/world.ts";
import { query } from "../kit.ts";
import { temporaryPath } from "../temporary.ts";
import { contentsOf, expectSameViews } from "./fill.ts";
import { connected, describePostgres, newHistory } from "./kit.ts";

const hour = 3_600_000;
const start = Date.parse("2026-10-20T10:00:00Z");
const schedule = "*/30 * * * *";

describePostgres("a shipped reconciliation", () => {
  it("is that of the file after every pass: as the ledger grows, with a break, when it heals, and computed again", async () => {
    const world = await createWorld(
      "2026-10-20T09:59:30Z",
      {
        SCHEDULE_SPOT_ASSETS: schedule,
        SCHEDULE_FUNDING_ASSETS: schedule,
        SCHEDULE_MIX_ACCOUNTS: schedule,
        SCHEDULE_POSITIONS: schedule,
        SCHEDULE_BILLS: schedule,
        SCHEDULE_CLOSED_POSITIONS: schedule,
      },
      { from: start - 12 * hour, habits: { hasCashFlows: true, activity: 48 } },
    );
    const { path, exchange } = world;
    const [postgres, copy] = [await connected(await newHistory()), temporaryPath()];
    const shipper = () => new Shipper({ path, postgres, datasets, now: () => start });
    const [ship, later] = [shipper(), shipper()];
    onTestFinished(() => {
      for (const one of [ship, later]) one.close();
    });
    const verdicts = () => query(path, "select distinct verdict from reconciliation").map(({ verdict }) => verdict);
    const isCopied = async (by = ship) => {
      await by.pass();
      await expectSameViews(postgres, path);
      await mirror(postgres, copy, { datasets, now: () => start });
      expect(contentsOf(copy)).toEqual(contentsOf(path));
    };
    const live = async (from: number, hours: number) => {
      for (let at = from; at <= from + hours * hour; at += hour / 2) {
        await world.at(at);
        await isCopied();
      }
    };
    await live(start, 1);
    expect(verdicts()).toContain("proven");
    world.clock.advanceTo(start + 1.9 * hour);
    const hidden = exchange
      .ledgerOf(classic.name)
      .find(({ at, wallet, change }) => at > start + 1.1 * hour && wallet === "umcbl" && normalize(change) !== "0");
    exchange.listFaults.hide(hidden?.id ?? "");
    await live(start + 2 * hour, 2);
    expect(verdicts()).toContain("break");
    exchange.listFaults.show(hidden?.id ?? "");
    // The first run of a day reads three days again. The steps of entries that are settled change then.
    await live(Date.parse("2026-10-21T00:00:00Z"), 0.5);
    expect(verdicts()).not.toContain("break");
    const now = Date.parse("2026-10-21T00:45:00Z");
    await reconcileFile(path, { now, isFull: true });
    await isCopied(later);
    await isCopied();
    // As a correction of the records does.
    const sqlite = openWriter(path);
    forgetReconciliation(sqlite, "main");
    sqlite.close();
    await isCopied();
    await reconcileFile(path, { now: now + 1 });
    await isCopied();
    const counts = ledgerTables.map(
      (table) => query(path, `select count(*) > 0 as some from ${getTableName(table)}`)[0]?.some,
    );
    expect(counts).toEqual(ledgerTables.map(() => 1));
  });
});
