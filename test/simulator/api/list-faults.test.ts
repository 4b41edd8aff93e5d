/** What can be wrong with the lists of the exchange, what they have of an upgraded account, and when a row is listed. */
import { describe, expect, it } from "vitest";
import { snowflake } from "../../../src/simulator/ledger/snowflake.ts";
import type { Fault, SimulatedAccount, TrueEntry } from "../../../src/simulator/simulator.ts";
import { classic, unified } from "../../support/settings.ts";
import { ask, handClock, noon, simulator } from "../support.ts";

const day = 86_400_000;
const hour = day / 24;
const bills = "/api/v2/spot/account/bills";
const yesterday = `${bills}?startTime=${noon - day}&limit=500`;
const records = "/api/v3/account/financial-records";

async function exchangeAt(instant = noon) {
  const clock = handClock(instant);
  const exchange = await simulator({
    clock,
    from: noon - 10 * day,
    seed: 4,
    habits: { hasCashFlows: true, activity: 4 },
  });
  const data = async (account: SimulatedAccount, path: string) => {
    clock.pass(100);
    const { body } = await ask(exchange, account, path, clock.now());
    return body.code === "00000" ? body.data : body.code;
  };
  return { clock, exchange, data };
}

const idsOf = (rows: Record<string, string>[] | null): (string | undefined)[] =>
  (rows ?? []).map(({ billId, id = billId }) => id);

/** The time in an id: when its row was written. */
const writtenAt = (id: string): number => Number(BigInt(id) >> 22n) + 1_435_725_920_677;

describe("a list", () => {
  it("misses an entry until it is shown, or until its time", async () => {
    const { clock, exchange, data } = await exchangeAt();
    const all = idsOf(await data(classic, yesterday));
    const [gone = "", late = ""] = all;

    exchange.listFaults.hide(gone);
    exchange.listFaults.hide(late, noon + 1000);
    const without = idsOf(await data(classic, yesterday));
    clock.pass(1000);
    const healed = idsOf(await data(classic, yesterday));
    exchange.listFaults.show(gone);

    expect(without).toEqual(all.slice(2));
    expect(healed).toEqual(all.slice(1));
    expect(idsOf(await data(classic, yesterday))).toEqual(all);
    expect(exchange.ledgerOf("main").map(({ id }) => id)).toContain(gone);
  });

  it("has two entries of one millisecond in another order than their balances", async () => {
    const { exchange, data } = await exchangeAt();
    const ledger = exchange.ledgerOf("main").filter(({ wallet, coin }) => `${wallet} ${coin}` === "spot USDT");
    const index = ledger.findIndex(({ at }, before) => ledger[before + 1]?.at === at);
    const [first, second] = ledger.slice(index, index + 2) as [TrueEntry, TrueEntry];
    const window = `${bills}?startTime=${first.at}&endTime=${first.at}&coin=${first.coin}`;
    const before = await data(classic, window);

    exchange.listFaults.swap(first.id, second.id);
    const after = await data(classic, window);

    expect(idsOf(after)).toEqual(idsOf(before));
    const balances = (rows: Record<string, string>[]) => new Map(rows.map(({ billId, balance }) => [billId, balance]));
    expect(balances(after).get(first.id)).toBe(balances(before).get(second.id));
    expect(balances(after).get(second.id)).toBe(balances(before).get(first.id));
  });

  it.each<[Required<Fault>["list"], Partial<Record<"list" | "cursor", unknown>>]>([
    ["empty", { list: [], cursor: null }],
    ["without cursor", { cursor: null }],
  ])("has one page that is %s", async (list, expected) => {
    const { exchange, data } = await exchangeAt();
    const path = `${records}?category=SPOT&limit=5`;
    const good = await data(unified, path);

    exchange.injectFault({ path: records, list });

    expect(await data(unified, path)).toEqual({ ...good, ...expected });
    expect(await data(unified, path)).toEqual(good);
  });

  it("has its first page twice", async () => {
    const { exchange, data } = await exchangeAt();
    const first = await data(unified, `${records}?category=SPOT&limit=5`);
    const next = `${records}?category=SPOT&limit=5&cursor=${first.cursor}`;

    exchange.injectFault({ path: records, list: "repeated" });

    expect(await data(unified, next)).toEqual(first);
    expect(idsOf((await data(unified, next)).list)).not.toContain(first.cursor);
  });

  it("is refused for one wallet only", async () => {
    const { exchange, data } = await exchangeAt();
    const params = { category: "OTHER" };
    exchange.injectFault({ path: records, params, code: "40014", times: Number.POSITIVE_INFINITY });

    expect(await data(unified, `${records}?category=OTHER`)).toBe("40014");
    expect(await data(unified, `${records}?category=OTHER`)).toBe("40014");
    expect(await data(unified, `${records}?category=SPOT`)).toHaveProperty("cursor");
  });

  it("continues after its last row while newer ones arrive", async () => {
    const { clock, data } = await exchangeAt();
    const first = idsOf(await data(classic, `${bills}?limit=5`));
    const rest = idsOf(await data(classic, `${bills}?limit=5&idLessThan=${first.at(-1)}`));

    clock.pass(12 * hour);
    const newest = idsOf(await data(classic, `${bills}?limit=5`));
    const restLater = idsOf(await data(classic, `${bills}?limit=5&idLessThan=${first.at(-1)}`));

    expect(newest).not.toEqual(first);
    expect(restLater).toEqual(rest);
  });

  it("of tax records begins with the oldest row, and continues with newer ones", async () => {
    const { clock, data } = await exchangeAt();
    const listed = async (query: string) => {
      // One request a second is allowed.
      clock.pass(1000);
      return await data(classic, tax + query);
    };
    const tax = `/api/v2/tax/spot-record?startTime=${noon - day}&endTime=${noon}`;
    const all = await listed("");
    expect(all.length).toBeGreaterThan(4);
    expect(all.map(({ ts }: { ts: string }) => Number(ts))).toEqual(
      all.map(({ ts }: { ts: string }) => Number(ts)).sort((one: number, other: number) => one - other),
    );
    const pages: (string | undefined)[] = [];
    for (let page = idsOf(await listed("&limit=2")); page.length > 0; ) {
      pages.push(...page);
      page = idsOf(await listed(`&limit=2&idLessThan=${page.at(-1)}`));
    }
    expect(pages).toEqual(idsOf(all));
    expect(await listed("&idLessThan=1")).toEqual([]);
  });
});

describe("a row", () => {
  it("of funding is listed 8 to 15 seconds after the hour, in a unified account 1.5 seconds, with the hour as its time", async () => {
    const start = noon - 4 * hour;
    const { clock, exchange, data } = await exchangeAt(start - 1000);
    const seen: [number, string][] = [];
    const newest = async () => {
      const [main] = (await data(classic, "/api/v2/mix/account/bill?productType=USDT-FUTURES&limit=1")).bills;
      const hedge = (await data(unified, `${records}?category=USDT-FUTURES&limit=1`)).list?.[0];
      const age = clock.now() - start;
      if (Number(main.cTime) > start) seen.push([age, `classic ${main.businessType} ${main.cTime > start + 8000}`]);
      if (Number(hedge?.ts) === start) seen.push([age, `unified ${hedge.type.includes("SETTLE_FEE")}`]);
    };
    for (let step = 0; step < 20; step++) {
      await newest();
      clock.pass(800);
    }
    const first = (title: string) => seen.find(([, text]) => text === title)?.[0] ?? Number.NaN;

    expect(first("classic contract_settle_fee true")).toBeGreaterThanOrEqual(8000);
    expect(first("classic contract_settle_fee true")).toBeLessThan(16_000);
    expect(first("unified true")).toBeGreaterThanOrEqual(1472);
    expect(first("unified true")).toBeLessThan(3000);
    expect(exchange.ledgerOf("main").length).toBeGreaterThan(100);
  });

  it("has an id that says when it was written", async () => {
    const { exchange } = await exchangeAt();
    const lags = (account: string, wallet: string) => {
      const own = exchange.ledgerOf(account).filter((entry) => entry.wallet === wallet);
      return own.map(({ id, at }) => writtenAt(id) - at);
    };

    const spot = lags("main", "spot");
    expect(spot.every((lag) => lag >= 8 && lag <= 174)).toBe(true);
    expect(new Set(lags("main", "umcbl"))).toEqual(new Set([0]));
    expect(new Set(lags("hedge", "unified"))).toEqual(new Set([0, 1472]));
    expect(lags("hedge", "funding").every((lag) => lag >= 22 && lag <= 28)).toBe(true);
    expect(writtenAt(snowflake(noon, 5))).toBe(noon);
  });
});

it("an upgraded account lists what it does from then on, from the balances it had", async () => {
  const { clock, exchange, data } = await exchangeAt();
  const before = exchange.ledgerOf("main");
  exchange.upgrade("main");
  clock.pass(2 * day);

  expect(await data(classic, bills)).toBe("40085");
  const after = exchange.ledgerOf("main");
  expect(after.length).toBeGreaterThan(100);
  expect(after.every(({ at }) => at > noon)).toBe(true);
  expect(new Set(before.map(({ wallet }) => wallet))).toContain("spot");
  const { assets } = await data(classic, "/api/v3/account/assets");
  const unifiedRows = after.filter(({ wallet }) => wallet === "unified");
  for (const coin of new Set(unifiedRows.map((entry) => entry.coin))) {
    const last = unifiedRows.findLast((entry) => entry.coin === coin && entry.at <= clock.now());
    const held = assets.find((asset: Record<string, string>) => asset.coin === coin);
    expect([coin, held?.balance ?? "0"]).toEqual([coin, last?.balance]);
  }
  for (const category of ["SPOT", "OTHER", "USDT-FUTURES"]) {
    const { list } = await data(classic, `${records}?category=${category}`);
    expect(list.every(({ ts }: { ts: string }) => Number(ts) > noon)).toBe(true);
  }
});
