/** Tests the page of data health: gaps by event, runs, alerts, integrity, system. */
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { causes } from "../../src/core/domain.ts";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { positions } from "../../src/datasets/snapshots/positions.ts";
import { prices } from "../../src/datasets/snapshots/prices.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { noChanges } from "../../src/store/alerts/alert-store.ts";
import { keepVerification } from "../../src/store/files/verified-file.ts";
import { btc, equityRow } from "../reports/kit.ts";
import { collect, failed, good, item, minute, start } from "../store/kit.ts";
import { runInProcess } from "../support/in-process.ts";
import { startAccounts } from "./account.ts";

const part = (page: string, id: string): string => new RegExp(`id="${id}"[\\s\\S]*?</section>`).exec(page)?.[0] ?? "";
const rowsOf = (section: string): string[] => section.split("<tr").slice(2);

it("shows one outage of all feeds as one row, with what was held before", async () => {
  const { record, store, page, json } = await startAccounts({ minutes: 20, accounts: ["main", "hedge"] });
  for (const account of ["main", "hedge"]) await record(equity, 1, [equityRow("100.5")], account);
  const scheduled = (await json("/api/collection")).rows as { account: string; dataset: string }[];
  const slots = [5, 6, 7].map((n) => ({ slot: start + n * minute, state: "missed" as const, cause: causes.asleep }));
  for (const { account, dataset } of scheduled) await store.closeSlots(account, dataset as "equity", slots);
  const found = part(await page("/collection"), "outages");
  const rows = rowsOf(found).filter((row) => row.includes("asleep"));
  expect(rows.length).toBe(1);
  expect(rows[0]).toContain("The machine was asleep, or its clock was set forward.");
  expect(rows[0]).toContain(`all ${scheduled.length} feeds`);
  expect(rows[0]).toContain('value="201"');
  // The start leads to the state just before it.
  expect(rows[0]).toContain(encodeURIComponent("2026-11-01T00:04:59.999Z"));
  const [outage] = (await json("/api/outages")).rows.filter(({ cause }: { cause: string }) => cause === causes.asleep);
  expect(outage).toMatchObject({
    from_at: "2026-11-01T00:05:00.000Z",
    to_at: "2026-11-01T00:07:00.000Z",
    slots: 3 * scheduled.length,
    held_usdt: "201",
  });
});

it("keeps events of different causes, and of the same cause at different times, apart", async () => {
  const { record, store, json } = await startAccounts({ minutes: 30 });
  const close = (dataset: "equity" | "spot-assets", n: number, cause: string) =>
    store.closeSlots("main", dataset, [{ slot: start + n * minute, state: "missed", cause }]);
  await close("equity", 3, causes.asleep);
  await close("spot-assets", 3, causes.blocked);
  await record(equity, 6, [equityRow("1")]);
  await close("equity", 9, causes.asleep);
  const rows = (await json("/api/outages?account=main")).rows as { from_at: string; cause: string; feeds: string }[];
  const known = rows.filter(({ cause }) => cause === causes.asleep || cause === causes.blocked);
  expect(known.map(({ from_at, cause, feeds }) => [from_at.slice(14, 16), cause, feeds])).toEqual([
    ["09", causes.asleep, "main: equity"],
    ["03", causes.blocked, "main: spot-assets"],
    ["03", causes.asleep, "main: equity"],
  ]);
});

it("lists runs by state, with lateness, retries and the error", async () => {
  const { record, store, page, json, request } = await startAccounts({ minutes: 9 });
  await record(equity, 1, [equityRow("1")]);
  await collect(store, equity, start + 2 * minute, { failures: [failed("40014", start + 2 * minute)], retries: 2 });
  await store.closeSlots("main", "equity", [{ slot: start + 3 * minute, state: "missed", cause: causes.tooLate }]);
  const statesOf = async (filter: string) =>
    (await json(`/api/runs${filter}`)).rows.map(({ state }: { state: string }) => state);
  expect(await statesOf("")).toEqual(["missed", "failed", "ok"]);
  expect(await statesOf("?state=failed")).toEqual(["failed"]);
  expect(await statesOf("?state=missed")).toEqual(["missed"]);
  expect(await statesOf("?state=retried")).toEqual(["failed"]);
  expect(await statesOf("?state=partial")).toEqual([]);
  // The run of 00:02 ended 300 ms after its slot.
  expect(await statesOf("?at=2026-11-01T00:02:00Z")).toEqual(["ok"]);
  expect(await statesOf("?at=2026-11-01T00:02:00.299Z&state=failed")).toEqual([]);
  expect(await statesOf("?at=2026-11-01T00:02:00.300Z")).toEqual(["failed", "ok"]);
  expect(await statesOf("?at=2026-11-01T00:02:00.300Z&state=failed")).toEqual(["failed"]);
  const due = async (filter: string) =>
    (await json(`/api/slots${filter}`)).rows.find(({ dataset }: { dataset: string }) => dataset === "equity")?.slots;
  expect([await due("?at=2026-11-01T00:02:00Z"), await due("")]).toEqual([2, 8]);
  const [row] = rowsOf(part(await page("/collection?state=failed"), "runs"));
  expect(row).toContain("✕ failed");
  expect(row).toContain("no answer: 40014");
  expect((await request("/collection?state=nonsense")).status).toBe(400);
});

it("shows open alerts, and notifications with their deliveries", async () => {
  const { store, page, json } = await startAccounts({ minutes: 9 });
  const alert = { kind: "drawdown", account: "main", what: "equity" };
  const fired = { ...alert, alert: "a1", state: "fired", at: start, value: "0.12", threshold: "0.1" } as const;
  const message = {
    ...fired,
    sentence: "Alert: main: equity fell since 2026-10-31T23:59:00.123Z.",
    delivery: "log",
  } as const;
  const open = { ...alert, name: "a1", subject: "equity", scopeId: null, firedAt: start };
  await store.alerts.record({ ...noChanges, fired: [open], messages: [message] });
  const found = await page("/collection");
  for (const shown of [part(found, "alerts"), part(found, "notifications"), part(await page("/"), "attention")])
    expect(shown).toContain("main: equity fell since 2026-10-31 23:59:00 UTC.");
  // What is stored stays as it was sent.
  const [{ sentence }] = (await json("/api/notifications")).rows;
  expect(sentence).toBe(message.sentence);
  expect(part(found, "notifications")).toContain("▲ fired");
  expect(part(found, "notifications")).toContain("log only");
  expect(found).toContain(">1 open alert<");
  expect((await json("/api/alerts")).rows).toMatchObject([{ since: "2026-11-01T00:00:00.000Z", value: "0.12" }]);
});

it("has of a chosen instant what was known then, and nothing of the present", async () => {
  const settings = [{ name: "ALERT_STALE", value: "on" }];
  const { store, page, json, site, record } = await startAccounts({ minutes: 60, settings });
  await record(spotAssets, 1, [btc("1")]);
  const alert = (name: string, n: number) => {
    const own = { kind: "stale", account: "main", what: name };
    const message = { ...own, alert: name, value: null, threshold: null, delivery: "pending" } as const;
    return {
      open: { ...own, name, subject: name, scopeId: null, firedAt: start + n * minute },
      fired: { ...message, state: "fired", at: start + n * minute, sentence: `Alert: ${name}.` } as const,
      recovered: { ...message, state: "recovered", at: start + 30 * minute, sentence: `Recovered: ${name}.` } as const,
    };
  };
  const [over, off, late, lasting] = [alert("over", 5), alert("off", 6), alert("late", 40), alert("lasting", 7)];
  const all = [over, off, late, lasting];
  const [fired, messages] = [all.map(({ open }) => open), all.map((one) => one.fired)];
  await store.alerts.record({ ...noChanges, fired, messages });
  await store.alerts.record({ ...noChanges, ended: [over.open, off.open], messages: [over.recovered] });
  const facts = { runs: 1, snapshots: 1, due: 9, accounted: 9, corrected: 0, heads: [], problems: [] };
  keepVerification(site.databasePath, facts, start + 50 * minute);

  const openAt = async (time: string) =>
    (await json(`/api/alerts${time}`)).rows.map(({ what }: { what: string }) => what);
  expect(await openAt("")).toEqual(["late", "lasting"]);
  expect(await openAt("?at=2026-11-01T00:20")).toEqual(["lasting", "off", "over"]);
  expect(await openAt("?at=2026-11-01T00:35")).toEqual(["lasting", "off"]);
  expect(await openAt("?at=2026-11-01T00:04")).toEqual([]);
  const [then, now] = [await page("/collection?at=2026-11-01T00:20"), await page("/collection")];
  expect(part(then, "alerts")).toMatch(/over\. <small>since [^;]*, with the figures of then<\/small>/);
  expect(part(then, "alerts").match(/its rule was switched off since/g)).toHaveLength(1);
  expect(then).toContain(">3 open alerts<");
  for (const words of [
    "OK, unaltered",
    "Chain head",
    "Rules on:",
    "Free disk space",
    "Settings in force",
    "Delivery",
  ]) {
    expect(now).toContain(words);
    expect(then).not.toContain(words);
  }
  expect(/id="summary"[\s\S]*?<\/p>/.exec(then)?.[0]).not.toMatch(/Collecting|Stopped|verified/);
  expect(part(await page("/collection?at=2026-11-01T00:55"), "integrity")).toContain("OK, unaltered");
  expect((await json("/api/notifications?at=2026-11-01T00:05")).rows).toMatchObject([
    { sentence: "Alert: over.", delivery: null, attempts: null, problem: null },
  ]);

  const attention = async (time: string) => part(await page(`/${time}`), "attention");
  const overview = await attention("?at=2026-11-01T00:20");
  expect(overview).toContain(">3 open alerts<");
  expect(overview).toMatch(/>Alert<\/a>: over\. <small>since/);
  expect(overview).toMatch(
    /off\. <small>since [\s\S]*, with the figures of then; its rule was switched off since, maybe before this time/,
  );
  expect(await attention("?at=2026-11-01T00:04")).toContain(">no open alerts<");
  expect(await attention("")).toContain(">2 open alerts<");
});

it("cuts gaps at a chosen instant: one that lasted longer has its slots until then", async () => {
  const { store, json, page } = await startAccounts({ minutes: 60 });
  const close = (minutes: readonly number[]) =>
    store.closeSlots(
      "main",
      "equity",
      minutes.map((n) => ({ slot: start + n * minute, state: "missed" as const, cause: causes.asleep })),
    );
  await close(Array.from({ length: 20 }, (_, n) => 5 + n));
  const of = async (name: string, at: string) =>
    (await json(`/api/${name}?at=2026-11-01T00:${at}Z`)).rows
      .filter(({ cause }: { cause: string }) => cause === causes.asleep)
      .map(({ from_at, to_at, slots }: Record<string, string>) => [
        from_at?.slice(14, 16),
        to_at?.slice(14, 16),
        slots,
      ]);
  for (const name of ["gaps", "outages"]) {
    expect(await of(name, "04:59")).toEqual([]);
    expect(await of(name, "05:00")).toEqual([["05", "05", 1]]);
    expect(await of(name, "10:30")).toEqual([["05", "10", 6]]);
    expect(await of(name, "50:00")).toEqual([["05", "24", 20]]);
  }
  expect(part(await page("/collection?at=2026-11-01T00:10:30Z"), "outages")).not.toContain("00:24");
});

it("names the wallet of a ledger as other pages do, while the API has the stored text", async () => {
  const { store, page, json, site } = await startAccounts({ minutes: 9 });
  const alert = { kind: "ledger-break", account: "main", what: "ledger of BTC in margin-isolated/BTCUSDT" };
  const said = `main: ${alert.what} does not explain the balance; see \`reconcile --wallet margin-isolated/BTCUSDT\``;
  const message = { ...alert, state: "fired", at: start, value: "1", threshold: null, delivery: "log" } as const;
  const open = (name: string) => ({ ...alert, name, subject: name, scopeId: null, firedAt: start });
  const messages = [{ ...message, alert: "a1", sentence: `Alert: ${said}` }];
  await store.alerts.record({ ...noChanges, fired: [open("a1"), open("a2")], messages });
  const label = "ledger of BTC in Isolated margin, BTCUSDT";
  const [health, overview] = [await page("/collection"), await page("/")];
  for (const shown of [part(health, "alerts"), part(overview, "attention")]) {
    expect(shown).toContain(`main: ${label} does not explain the balance; see \`reconcile --wallet margin-isolated/`);
    expect(shown).toContain(`main: ${label}: ledger-break`);
  }
  expect(part(health, "notifications")).toContain(`Alert: main: ${label} does`);
  expect((await json("/api/notifications")).rows[0]).toMatchObject({ what: alert.what, sentence: `Alert: ${said}` });
  const { stdout } = await runInProcess(["alerts", "list"], tmpdir(), { DATABASE_URL: `file:${site.databasePath}` });
  expect(stdout.match(new RegExp(label, "g"))).toHaveLength(3);
});

it("finds the notifications up to an instant, and those of an account, however many came later or are of others", async () => {
  const { store, json } = await startAccounts({ minutes: 60, accounts: ["main", "hedge"] });
  const closed = {
    kind: "stale",
    what: "equity",
    value: null,
    threshold: null,
    delivery: "log",
    state: "closed",
  } as const;
  const message = (n: number, account: string) => ({
    ...closed,
    alert: `a${n}`,
    account,
    at: start + n * 1000,
    sentence: `Closed: ${n}.`,
  });
  const messages = Array.from({ length: 1500 }, (_, n) => message(n, n < 3 ? "hedge" : "main"));
  await store.alerts.record({ ...noChanges, messages });
  const found = async (query: string) =>
    (await json(`/api/notifications?${query}`)).rows.map(({ sentence }: { sentence: string }) => sentence);
  expect(await found("at=2026-11-01T00:00:01Z")).toEqual(["Closed: 1.", "Closed: 0."]);
  expect(await found("account=hedge")).toEqual(["Closed: 2.", "Closed: 1.", "Closed: 0."]);
});

it("says which rules are on, with their limits, and shows settings without secrets", async () => {
  const settings = [
    { name: "ALERT_LIQUIDATION_DISTANCE", value: "5 %" },
    { name: "ALERT_DRAWDOWN", value: "off" },
    { name: "ALERT_STALE", value: "on" },
    { name: "ALERT_WEBHOOK_URL", value: "not set" },
    { name: "HTTP_TOKEN", value: "set" },
  ];
  const { page } = await startAccounts({ minutes: 3, settings });
  const found = await page("/collection");
  expect(part(found, "alerts")).toContain(
    "Rules on: distance to liquidation below 5 %; stale feeds. Off: margin ratio; drawdown;",
  );
  expect(part(found, "system")).toContain("<dt>HTTP_TOKEN</dt><dd>set</dd>");
});

it("shows the chain head, the last verification, and fields without a column", async () => {
  const { record, store, page, site } = await startAccounts({ minutes: 9 });
  await record(spotAssets, 1, [btc("1")]);
  expect(part(await page("/collection"), "integrity")).toContain("Every received field has a column.");
  const facts = { runs: 1, snapshots: 1, due: 9, accounted: 9, corrected: 0, heads: [] };
  keepVerification(site.databasePath, { ...facts, problems: ["<b>2026-11-01 was altered"] }, start + 5 * minute);
  const unknown = item(prices, { coin: "BTC", quote: "USDT", price: "1" }, { riskLevel: "low" });
  await collect(store, prices, start + 2 * minute, { snapshots: [good([unknown], start + 2 * minute)] }, "public");
  const found = part(await page("/collection"), "integrity");
  expect(found).toMatch(/<code>[0-9a-f]{64}<\/code>/);
  expect(found).toContain("▲ ALTERED");
  expect(found).toContain("&lt;b&gt;2026-11-01 was altered");
  expect(found).toContain("<code>riskLevel</code> of prices");
  expect(found).toContain("db replay --dataset prices");
});

it("shows the share of due slots by day, and the version, the files and the clock of the system", async () => {
  const { record, store, page } = await startAccounts({ minutes: 3 });
  await record(equity, 1, [equityRow("1")]);
  await collect(store, equity, start + 2 * minute, { failures: [failed("40014", start + 2 * minute)] });
  await record(equity, 3, [equityRow("1")]);
  await store.setApiVersion("main", "v2", start, "first seen");
  await store.setApiVersion("main", "v3", start + 2 * minute, "the exchange reported a changed account mode");
  const found = await page("/collection");
  expect(part(found, "calendar")).toMatch(/class="share some" title="2 ok, 1 failed[^"]*">[67]\d/);
  const system = part(found, "system");
  expect(system).toContain("12 ms ahead of the exchange");
  expect(system).toMatch(/<dt>Database<\/dt><dd>[\d.]+ kB/);
  expect(system).toContain("upgraded: unified, API v3");
});

it("says of an error that the feed was up to date after it, at the shown instant", async () => {
  const { store, record, page } = await startAccounts({ minutes: 6 });
  await collect(store, equity, start + 3 * minute, { failures: [failed("40014", start + 3 * minute)] });
  for (const at of [4, 5, 6]) await record(equity, at, [equityRow("100.5")]);
  expect(await page("/collection")).toContain("up to date since then");
  const then = await page("/collection?at=2026-11-01T00:05");
  expect(then).toContain("up to date again at this time");
  expect(then).not.toContain("up to date since then");
});

it("shows of an open alert the figure of the shown instant, and that at its firing", async () => {
  const { store, record, page } = await startAccounts({ minutes: 6 });
  const named = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "isolated" };
  const position = { ...named, total: "2", leverage: "5", averageOpenPrice: "100", unrealizedPl: "0", margin: "40" };
  const near = { markPrice: "100", liquidationPrice: "96" };
  await record(positions, 5, [{ ...position, ...near }], "main", "umcbl");
  await record(positions, 6, [{ ...position, ...near, liquidationPrice: "91.5" }], "main", "umcbl");
  const what = "BTCUSDT long (isolated, USDT, umcbl)";
  const alert = { kind: "liquidation-distance", account: "main", what } as const;
  const fired = {
    ...alert,
    alert: "a1",
    state: "fired",
    at: start + 5 * minute,
    value: "0.04",
    threshold: "0.05",
  } as const;
  const sentence = `Alert: main: ${what} is 4 % from its liquidation at 96 (mark 100); the limit is 5 %.`;
  const open = { ...alert, name: "a1", subject: "p", scopeId: null, firedAt: start + 5 * minute };
  const messages = [{ ...fired, sentence, delivery: "log" } as const];
  await store.alerts.record({ ...noChanges, fired: [open], messages });
  const shown = async (path: string) => part(await page(path), "attention").replace(/<[^>]*>/g, "");
  expect(await shown("/")).toContain(`${what} is 8.50 % from its liquidation (at firing 4.00 %) since 2026-11-01`);
  expect(await shown("/")).not.toContain("the limit is");
  expect(await shown("/?at=2026-11-01T00:05:30")).toContain("is 4.00 % from its liquidation (at firing 4.00 %)");
});
