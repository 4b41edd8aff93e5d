import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Item, Row, Scope } from "../../../src/core/domain.ts";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { collect, failed, good, item, minute, query, start } from "../../store/kit.ts";
import { pseudoRandom, spotAssets } from "../../store/minutes.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { snapshotNames } from "../../support/declared.ts";
import { classic, credentials, everyDataset } from "../../support/settings.ts";
import { createWorld } from "../../support/world.ts";
import { bytesOf, endings, exported, imported } from "./support.ts";

const mixAccounts = snapshotDatasetNamed("mix-accounts");
const fundingAssets = snapshotDatasetNamed("funding-assets");

/** Texts that break careless programs. */
const hostile = [
  "",
  " ",
  "'",
  "''=1",
  "=1+1",
  "'-5",
  "@x",
  '"',
  'a"",b',
  ',"",',
  "\r\n",
  "a\nb\rc",
  "\0",
  "a\0b",
  "\ufeffmark",
  "\ufffd",
  "\u2028\u2029\u0085",
  "\u202eright to left",
  "😀é",
  "null",
  "NULL",
  "\\N",
  "1e5",
  "__proto__",
  "constructor",
  "toString",
];

const coin = (name: string, cells: Row = {}): Item => item(spotAssets, { coin: name, ...cells });

const problemsOf = async (path: string) => (await verify(path, datasets)).problems;

const settingOf = (dataset: string) => `SCHEDULE_${dataset.toUpperCase().replaceAll("-", "_")}`;

/** Returns the rows of a view in a defined order. */
const rowsOf = (path: string, view: string) =>
  query(path, `select * from ${view}`)
    .map((row) => JSON.stringify(row))
    .sort();

describe("export, import and export again", () => {
  it.each(endings)("gives the same bytes for every text, as %s", async (ending) => {
    const path = temporaryPath();
    const store = await open(path);
    const items = hostile.map((text, n) => ({
      ...coin(`${n}${text}`, { coinId: text, available: n % 2 === 0 ? null : "1.0", updatedAt: start + n }),
      extra: n % 3 === 0 ? { [text]: text, a: [null, { b: text }] } : null,
    }));
    await collect(store, spotAssets, start, { snapshots: [good([...items, coin("=SUM(A1)")], start)] });
    const file = await exported(path, "spot-assets", ending);
    const copy = await imported([file]);
    expect(await bytesOf(copy, "spot-assets", ending)).toEqual(await bytesOf(path, "spot-assets", ending));
    expect(rowsOf(copy, "spot_assets_history")).toEqual(rowsOf(path, "spot_assets_history"));
    expect(await problemsOf(copy)).toEqual([]);
  });

  it.each(endings)(
    "gives the same bytes for coins that disappear, come back and stay at zero, as %s",
    async (ending) => {
      const path = temporaryPath();
      const store = await open(path);
      const zero = { available: "0", frozen: "0" };
      const days: Item[][] = [
        [coin("GOES", { available: "2.50", frozen: null }), coin("STAYS", zero)],
        [coin("STAYS", zero), coin("NEW", { available: "0.00" })],
        [coin("STAYS", zero), coin("GOES", zero)],
        [coin("AAA", { locked: "-0" }), coin("GOES", { available: "1" })],
        [],
        [coin("GOES", zero)],
        [coin("GOES", zero), coin("STAYS", zero)],
        [],
      ];
      for (const [at, items] of days.entries())
        await collect(store, spotAssets, start + at * minute, { snapshots: [good(items, start + at * minute)] });
      const copy = await imported([await exported(path, "spot-assets", ending)]);
      expect(await bytesOf(copy, "spot-assets", ending)).toEqual(await bytesOf(path, "spot-assets", ending));
      expect(rowsOf(copy, "spot_assets_latest")).toEqual(rowsOf(path, "spot_assets_latest"));
      expect(await problemsOf(copy)).toEqual([]);
    },
  );

  it.each(["umcbl", null] as const)("keeps a random history, in scope %s", async (scope) => {
    const dataset = scope === null ? fundingAssets : mixAccounts;
    const random = pseudoRandom(11);
    const path = temporaryPath();
    const store = await open(path);
    const key = dataset.key[0] ?? "";
    for (let at = 0; at < 300; at += 1) {
      const takenAt = start + at * minute - (random(9) === 0 ? 200_000 : random(100));
      const answers = (scope === null ? [null] : [scope, "dmcbl", "cmcbl"]).map((one) => {
        const names = ["A", "B", "C"].filter(() => random(3) > 0);
        const items = names.map((name) =>
          item(dataset, { [key]: name, available: ["0", "0", "1.20"][random(3)] ?? null }),
        );
        return random(8) === 0
          ? failed("timeout", takenAt, one as Scope)
          : good(items, takenAt + random(9), one as Scope);
      });
      await collect(store, dataset, start + at * minute, {
        snapshots: answers.filter((answer) => "items" in answer),
        failures: answers.filter((answer) => "code" in answer),
      });
    }
    const original = await bytesOf(path, dataset.name, "csv");
    const copy = await imported([await exported(path, dataset.name, "ndjson")]);
    expect((await bytesOf(copy, dataset.name, "csv")).equals(original)).toBe(true);
    expect(await problemsOf(copy)).toEqual([]);
  });

  it("works for any part of a history", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const held = (at: number) => ["OLD", "LATE", "BACK"].filter((_, n) => [at < 5, at >= 3, at < 2 || at > 6][n]);
    for (let at = 0; at < 10; at += 1) {
      const items = held(at).map((name) => coin(name, { available: String(at) }));
      await collect(store, spotAssets, start + at * minute, { snapshots: [good(items, start + at * minute)] });
    }
    const span = { from: start + 2 * minute, to: start + 9 * minute };
    const part = await bytesOf(path, "spot-assets", "csv", span);
    const copy = await imported([await exported(path, "spot-assets", "csv", span)]);
    expect(String(await bytesOf(copy, "spot-assets", "csv"))).toBe(String(part));
    expect(
      query(
        path,
        "select count(*) as n from spot_assets_history where taken_at_ms >= 1793491320000 and taken_at_ms < 1793491740000",
      ),
    ).toEqual([{ n: String(part).split("\r\n").length - 2 }]);
    expect(await problemsOf(copy)).toEqual([]);
  });

  it("keeps every digit of twenty thousand random decimals", async () => {
    const random = pseudoRandom(3);
    const figures = (count: number) => Array.from({ length: count }, () => random(10)).join("");
    const decimal = () => {
      const [whole, places] = [random(40) + 1, random(65)];
      const digits = random(4) === 0 ? "0" : `${random(9) + 1}${figures(whole - 1)}`;
      const fraction = random(3) === 0 ? `${figures(places)}000` : figures(places);
      return `${random(2) ? "-" : ""}${digits}${places > 0 ? `.${fraction.slice(0, 64)}` : ""}`;
    };
    const sent = Array.from({ length: 20_000 }, decimal);
    const path = temporaryPath();
    const store = await open(path);
    for (let at = 0; at < 4; at += 1) {
      const items = Array.from({ length: 2_500 }, (_, n) => {
        const place = (at * 2_500 + n) * 2;
        const [available = null, frozen = null] = sent.slice(place, place + 2);
        return coin(`COIN${String(n).padStart(5, "0")}`, { available, frozen });
      });
      await collect(store, spotAssets, start + at * minute, { snapshots: [good(items, start + at * minute)] });
    }
    const file = await exported(path, "spot-assets", "csv");
    const copy = await imported([file]);
    const rows = query(copy, "select available, frozen from spot_assets_history order by snapshot_id, coin");
    expect(rows.flatMap(({ available, frozen }) => [available, frozen])).toEqual(sent);
    expect((await bytesOf(copy, "spot-assets", "csv")).equals(await bytesOf(path, "spot-assets", "csv"))).toBe(true);
  });

  it("keeps a whole simulated account with an upgrade, in every format", async () => {
    const world = await createWorld("2026-11-01T00:00:30Z", everyDataset("* * * * *"), {});
    for (let at = 1; at <= 60; at += 1) {
      if (at === 35) world.exchange.upgrade("main");
      await world.at(Date.parse("2026-11-01T00:00:00Z") + at * minute);
    }
    for (const ending of endings) {
      const files = await Promise.all(snapshotNames.map((name) => exported(world.path, name, ending)));
      const copy = await imported(files);
      for (const [n, name] of snapshotNames.entries()) {
        const again = await bytesOf(copy, name, ending);
        expect(again.equals(readFileSync(files[n] ?? "")), `${name}.${ending}`).toBe(true);
      }
      expect(await problemsOf(copy)).toEqual([]);
      for (const prefix of ["spot_assets", "funding_assets", "mix_accounts", "positions"])
        expect(rowsOf(copy, `${prefix}_latest`), prefix).toEqual(rowsOf(world.path, `${prefix}_latest`));
    }
  });

  it.each([
    ["classic", classic],
    ["later upgraded", classic],
  ])("keeps the ledger of a %s account with what follows from it, also without its balances", async (life, account) => {
    const ledgerNames = [
      ...(["spot-assets", "funding-assets", "mix-accounts", "positions"] as const),
      ...(["bills", "fills", "closed-positions", "deposits", "withdrawals", "transfers"] as const),
    ];
    const hours = (count: number) => Date.parse("2026-11-01T10:20:00Z") + count * 60 * minute;
    const world = await createWorld(
      new Date(hours(0) - minute).toISOString(),
      {
        ...Object.fromEntries(ledgerNames.map((name) => [settingOf(name), "20 * * * *"])),
        ...credentials(account),
      },
      {
        accounts: [account],
        from: hours(-10),
        habits: { hasCashFlows: true, activity: 4, usesMargin: true, places: 12 },
      },
    );
    for (let at = 0; at <= 6; at += 1) {
      if (at === 3) {
        world.clock.advanceTo(hours(at) - minute);
        const [hidden] = world.exchange.ledgerOf(account.name).filter((entry) => entry.at > hours(at - 1));
        world.exchange.listFaults.hide(hidden?.id ?? "");
      }
      if (at === 4 && life === "later upgraded") world.exchange.upgrade(account.name);
      await world.at(hours(at));
    }
    const files = new Map<string, string>();
    for (const name of ledgerNames) files.set(name, await exported(world.path, name, "csv"));
    const copy = await imported([...files.values()]);
    for (const [name, file] of files)
      expect((await bytesOf(copy, name as (typeof ledgerNames)[number], "csv")).equals(readFileSync(file)), name).toBe(
        true,
      );
    expect(await problemsOf(copy)).toEqual([]);
    const alone = await imported([files.get("bills") ?? ""]);
    // Without balances, nothing shows what the first entry of a coin changed.
    const unknown = `select bill_id from bills b where change is null and exists (
      select 1 from bills e where e.wallet = b.wallet and e.coin = b.coin and e.at_ms < b.at_ms) order by bill_id`;
    expect(query(alone, unknown)).toEqual(query(world.path, unknown));
    expect(await problemsOf(alone)).toEqual([]);
  });
});
