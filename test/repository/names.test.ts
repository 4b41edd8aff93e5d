/** Names of members that every JavaScript object has, used as fields, coins, symbols and accounts. */
import { parse, stringify } from "lossless-json";
import { expect, it } from "vitest";
import { classic, credentials } from "../support/settings.ts";
import { createWorld } from "../support/world.ts";

const names = ["__proto__", "constructor", "toString", "valueOf"];

/** Returns a response with one item per name, which is the value of its `key`, and with the names as additional fields. */
const named = (key: string) => (envelope: unknown) => {
  const { data, ...rest } = parse(stringify(envelope) ?? "") as { data: object[] };
  const [first = {}] = data;
  const others = names.map((name) => [name, { of: name }]);
  return {
    ...rest,
    data: names.map((name) => Object.fromEntries([...Object.entries({ ...first, [key]: name }), ...others])),
  };
};

it("names of members of every object are requested, stored and shown like other names", async () => {
  const account = { ...classic, name: "constructor" };
  const settings = {
    BITGET_ACCOUNTS: "constructor",
    ...credentials(account, "BITGET_CONSTRUCTOR"),
    BITGET_PRODUCT_TYPES: "umcbl",
    SCHEDULE_SPOT_ASSETS: "* * * * *",
    SCHEDULE_POSITIONS: "* * * * *",
    SCHEDULE_PRICES: "* * * * *",
  };
  const world = await createWorld("2026-03-01T12:00:30Z", settings, { accounts: [account] });
  const times = Number.POSITIVE_INFINITY;
  world.exchange.injectFault({ path: "/api/v2/spot/account/assets", times, edit: named("coin") });
  world.exchange.injectFault({ path: "/api/v2/mix/position/all-position", times, edit: named("symbol") });
  await world.at("2026-03-01T12:01:00Z");
  await world.restart();
  await world.at("2026-03-01T12:02:00Z");

  const runs = "select distinct account, dataset, state, cause from runs order by dataset";
  expect(world.rows(runs)).toEqual([
    { account: "constructor", dataset: "positions", state: "ok", cause: null },
    { account: "public", dataset: "prices", state: "ok", cause: null },
    { account: "constructor", dataset: "spot-assets", state: "ok", cause: null },
  ]);
  const extra = `{${names
    .toSorted()
    .map((name) => `"${name}":{"of":"${name}"}`)
    .join(",")}}`;
  const coins = names.map((name) => ({ coin: name.toUpperCase(), extra })).sort((a, b) => (a.coin < b.coin ? -1 : 1));
  expect(world.rows("select coin, extra from spot_assets_latest order by coin")).toEqual(coins);
  const symbols = names.toSorted().map((symbol) => ({ symbol, extra }));
  expect(world.rows("select symbol, extra from positions_latest order by symbol")).toEqual(symbols);
  expect(world.rows("select count(*) as rows from spot_assets_history")).toEqual([{ rows: 8 }]);
});
