/** What rows a run makes of its responses and of the rows of other datasets: real scheduler, client, store and exchange. */
import { describe, expect, it } from "vitest";
import { collectNow } from "../../src/commands/collect.ts";
import { classic, credentials, unified } from "../support/settings.ts";
import { until } from "../support/wait.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;

const everyMinute = { SCHEDULE_SPOT_ASSETS: "* * * * *" };

describe("prices", () => {
  const both = { SCHEDULE_SPOT_ASSETS: "* * * * *", SCHEDULE_PRICES: "* * * * *" };

  it("fail instead of recording that nothing is held before any account was read", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", both);
    world.exchange.injectFault({ path: "/api/v2/spot/account/assets", code: "40034" });
    await world.at("2026-03-01T12:01:00Z");
    expect(world.rows("select state, error_code from snapshots where dataset = 'prices'")).toEqual([
      { state: "failed", error_code: "unknown" },
    ]);
  });

  it("continue for the last known coins while the accounts cannot be read", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", both);
    await world.at("2026-03-01T12:01:00Z");
    world.exchange.injectFault({ path: "/api/v2/spot/account/assets", code: "40034", times: Number.POSITIVE_INFINITY });
    for (const time of ["12:02:00", "12:03:00", "12:04:00", "12:05:00"]) await world.at(`2026-03-01T${time}Z`);
    expect(
      world.rows(
        "select count(distinct rows) as different, min(rows) > 3 as some from snapshots where dataset = 'prices'",
      ),
    ).toEqual([{ different: 1, some: 1 }]);
  });
});

it("is not a failure if the exchange does not have the product type", async () => {
  world = await createWorld("2026-03-01T12:00:30Z", { SCHEDULE_POSITIONS: "* * * * *" });
  world.exchange.injectFault({ path: "/api/v2/mix/position", params: { productType: "COIN-FUTURES" }, code: "40309" });
  await world.at("2026-03-01T12:01:00Z");
  expect(world.rows("select state from runs")).toEqual([{ state: "ok" }]);
  expect(world.rows("select distinct product_type from snapshots order by 1")).toEqual([
    { product_type: "cmcbl" },
    { product_type: "sumcbl" },
    { product_type: "umcbl" },
  ]);
});

it("an account with a phase is valued with the prices of its minute, and not with older ones in their place", async () => {
  const schedules = {
    SCHEDULE_FUNDING_ASSETS: "* * * * *",
    SCHEDULE_PRICES: "* * * * *",
    SCHEDULE_EQUITY: "* * * * *",
  };
  const both = { ...schedules, ...credentials(unified, "BITGET_HEDGE"), BITGET_ACCOUNTS: "main,hedge" };
  world = await createWorld("2026-03-01T12:00:30Z", both, { accounts: [classic, unified] });
  const minute = async (time: string) => {
    for (const second of ["00", "21", "45"]) await world.at(`2026-03-01T${time}:${second}Z`);
  };
  await minute("12:01");
  await minute("12:02");
  world.exchange.injectFault({ path: "/api/v2/spot/market/tickers", code: "40034", times: Number.POSITIVE_INFINITY });
  await minute("12:03");
  // The first slot of prices is after that of the accounts: before, nothing is known to be held.
  expect(world.rows("select substr(scheduled_for, 12, 5) as at, state from runs where dataset = 'prices'")).toEqual([
    { at: "12:02", state: "ok" },
    { at: "12:03", state: "failed" },
  ]);
  expect(world.rows("select complete, missing from equity_history where account = 'hedge' order by taken_at")).toEqual([
    { complete: 0, missing: '["prices"]' },
    { complete: 1, missing: null },
    { complete: 0, missing: '["prices"]' },
  ]);
});

describe("datasets that build on others", () => {
  const all = {
    SCHEDULE_SPOT_ASSETS: "* * * * *",
    SCHEDULE_FUNDING_ASSETS: "* * * * *",
    SCHEDULE_MIX_ACCOUNTS: "* * * * *",
    SCHEDULE_PRICES: "* * * * *",
    SCHEDULE_EQUITY: "* * * * *",
  };

  it("use the rows of their own slot", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", all);
    await world.at("2026-03-01T12:01:00Z");
    const held = world.rows(
      "select coin from spot_assets_latest union select coin from funding_assets_latest union select margin_coin from mix_accounts_latest where product_type not like 's%'",
    ) as { coin: string }[];
    const priced = world.rows("select coin from prices_history") as { coin: string }[];
    expect(priced.map(({ coin }) => coin)).toEqual(held.map(({ coin }) => coin).filter((coin) => coin !== "USDT"));
    expect(world.rows("select distinct complete from equity_history")).toEqual([{ complete: 1 }]);
  });

  it("mark a total as incomplete if its parts are from an earlier slot", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", all, { accounts: [{ ...classic, mode: "unified" }] });
    await world.at("2026-03-01T12:01:00Z");
    world.exchange.injectFault({ path: "/api/v3/account/funding-assets", code: "40034" });
    await world.at("2026-03-01T12:02:00Z");
    expect(
      world.rows("select funding_usdt is null as unknown, complete from equity_history order by taken_at_ms"),
    ).toEqual([
      { unknown: 0, complete: 1 },
      { unknown: 1, complete: 0 },
    ]);
  });

  const unifiedOnly = { accounts: [{ ...classic, mode: "unified" as const }] };
  const totals = () =>
    world.rows(
      "select substr(scheduled_for, 12, 8) as slot, funding_usdt is not null as funding, complete from equity_history join snapshots using (snapshot_id) join runs using (run_id) order by 1",
    );

  it("use no earlier rows of an input that is due at the same slot by another pattern", async () => {
    const hourly = { ...all, SCHEDULE_FUNDING_ASSETS: "0 * * * *" };
    world = await createWorld("2026-03-01T11:59:30Z", hourly, unifiedOnly);
    await world.at("2026-03-01T12:00:00Z");
    await world.at("2026-03-01T12:59:00Z");
    world.exchange.injectFault({ path: "/api/v3/account/funding-assets", code: "40034" });
    await world.at("2026-03-01T13:00:00Z");
    await world.at("2026-03-01T13:01:00Z");
    expect(totals()).toEqual([
      { slot: "12:00:00", funding: 1, complete: 1 },
      { slot: "12:59:00", funding: 1, complete: 1 },
      { slot: "13:00:00", funding: 0, complete: 0 },
      { slot: "13:01:00", funding: 1, complete: 1 },
    ]);
  });

  it.each([
    ["a refused wallet", { path: "/api/v3/account/funding-assets", code: "40034" }],
    ["refused prices", { path: "/api/v2/spot/market/tickers", code: "40034" }],
  ])("call a total of a collect on demand incomplete after %s, and not the next", async (_what, fault) => {
    world = await createWorld("2026-03-01T12:00:30Z", all, unifiedOnly);
    await collectNow(world.app, [], undefined);
    world.exchange.injectFault(fault);
    world.clock.advanceTo(Date.parse("2026-03-01T12:00:40Z"));
    await collectNow(world.app, [], undefined);
    world.clock.advanceTo(Date.parse("2026-03-01T12:00:50Z"));
    // Alone it builds on what was read ten seconds before, as nothing else is read now.
    await collectNow(world.app, ["equity"], undefined);
    // The time of a run on demand is the one that this machine has got to.
    expect(totals()).toEqual([1, 0, 1].map((n) => ({ slot: expect.any(String), funding: n, complete: n })));
  });

  it("mark the futures part of a manual run as unknown if one product type was refused or aborted", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", { ...all, BITGET_API_VERSION: "v1" }, { v1: true });
    await collectNow(world.app, [], undefined);
    const line = { path: "/api/mix/v1/account/accounts", params: { productType: "cmcbl" } };
    world.exchange.injectFault({ ...line, code: "40034" });
    world.clock.advanceTo(Date.parse("2026-03-01T12:00:40Z"));
    await collectNow(world.app, [], undefined);
    world.clock.advanceTo(Date.parse("2026-03-01T12:00:50Z"));
    world.exchange.injectFault({ ...line, hang: true });
    const cut = collectNow(world.app, [], undefined);
    await until(() => world.exchange.pendingFaults() === 0);
    await until(() => {
      world.clock.advanceTo(world.clock.now() + 1000);
      return world.rows("select 1 from runs where state = 'running'").length === 0;
    });
    await cut;
    expect(world.rows("select futures_usdt is not null as futures from equity_history order by taken_at_ms")).toEqual([
      { futures: 1 },
      { futures: 0 },
      { futures: 0 },
    ]);
  });

  it("mark a total as incomplete if its parts are unknown", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", { ...all, BITGET_API_VERSION: "v1" }, { v1: true });
    world.exchange.injectFault({
      path: "/api/mix/v1/account/accounts",
      params: { productType: "cmcbl" },
      status: 400,
      code: "40034",
    });
    await world.at("2026-03-01T12:01:00Z");
    await world.at("2026-03-01T12:02:00Z");
    expect(
      world.rows("select futures_usdt is null as unknown, complete from equity_history order by taken_at limit 1"),
    ).toEqual([{ unknown: 1, complete: 0 }]);
    expect(world.rows("select futures_usdt is null as unknown from equity_latest")).toEqual([{ unknown: 0 }]);
  });
});

describe("an empty response where there was something before", () => {
  it("is requested once more, and accepted the second time", async () => {
    world = await createWorld("2026-03-01T12:00:30Z", everyMinute);
    await world.at("2026-03-01T12:01:00Z");
    const empty = (envelope: unknown) => ({ ...(envelope as object), data: [] });
    world.exchange.injectFault({ path: "/api/v2/spot/account/assets", edit: empty, times: 1 });
    await world.at("2026-03-01T12:02:00Z");
    const coins = () => world.rows("select rows from snapshots order by snapshot_id desc limit 1");
    expect(coins()).toEqual(world.rows("select rows from snapshots order by snapshot_id limit 1"));
    world.exchange.injectFault({ path: "/api/v2/spot/account/assets", edit: empty, times: 2 });
    await world.at("2026-03-01T12:03:00Z");
    expect(world.rows("select distinct available from spot_assets_latest")).toEqual([{ available: "0" }]);
    await world.at("2026-03-01T12:04:00Z");
    expect(world.rows("select count(*) > 3 as back from spot_assets_latest")).toEqual([{ back: 1 }]);
  });
});
