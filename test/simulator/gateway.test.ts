import { createSign, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { allReadPermissions } from "../../src/simulator/permissions.ts";
import { type Endpoint, isModelled } from "../../src/simulator/simulator.ts";
import { classic, unified } from "../support/settings.ts";
import { ask, type Headers, handClock, noon, send, signed, simulator } from "./support.ts";

const then = 1_700_000_000_000;
const sample = "/api/v2/mix/position/all-position?marginCoin=USDT&productType=USDT-FUTURES";

const stamped = (sign: string, timestamp = String(then)): Headers => ({
  "ACCESS-KEY": classic.key,
  "ACCESS-TIMESTAMP": timestamp,
  "ACCESS-PASSPHRASE": classic.passphrase,
  "ACCESS-SIGN": sign,
});

describe("signatures", () => {
  it.each([
    ["/api/v2/spot/account/assets", "Ymp7evZnueizwrtQHCPfQIrulifKeMYFeI31ubRS6oA="],
    [sample, "VZl6N1yAPHPcQXSRVUdz5w+Y5gizbHMYS2Wp8/AFoAc="],
    [
      "/api/mix/v1/position/allPosition?marginCoin=USDT&productType=umcbl",
      "6tXiYeQ1Buj4VleZUfBuWAxa62rz5Lvl+Cx24XoJ1hk=",
    ],
    ["/api/v2/mix/account/accounts?productType=USDT-FUTURES", "NZRnn6e41mHvYHFmUdtrGfqG/PZvBh0N3/DzepJi4uc="],
  ])("known as valid are accepted: %s", async (target, sign) => {
    const exchange = await simulator({ clock: handClock(then), v1: true });

    const { body } = await send(exchange.url + target, stamped(sign));

    expect(body.code).toBe("00000");
  });

  it("follow the same rule in v3", async () => {
    const exchange = await simulator({ clock: handClock(then), accounts: [{ ...classic, mode: "unified" }] });
    const target = "/api/v3/position/current-position?category=USDT-FUTURES&symbol=BTCUSDT";

    const { body } = await send(exchange.url + target, stamped("DjXDV/g2XGy08SEnr1gMZy4uK7gQyNaZXH8GKkWwv78="));

    expect(body.code).toBe("00000");
  });

  it.each([
    ["made without the question mark", "/mlvFZWdbwji1R2zHrzX6EwypnsMGD9UWnLcrDsa7RU="],
    ["made over another order of parameters", "kmYz5RqYj5Jyr4Xc/4fQcF9YoMtvw2ORSj8Sn9xzuQ8="],
    ["made over seconds", "blbP6MR1Uv6ifTrT+V5Dr5L44r8VPSDhHfVNkPPFRGA="],
    ["in hexadecimal", "NTU5OTdhMzc1YzgwM2M3M2RjNDE3NDkxNTU0NzczZTcwZjk4ZTYwOGIzNmM3MzE4NGI2NWE5ZjNmMDA1YTAwNw=="],
  ])("%s are refused and counted", async (_mistake, sign) => {
    const exchange = await simulator({ clock: handClock(then) });

    const { status, body } = await send(exchange.url + sample, stamped(sign));

    expect([status, body.code, exchange.counts.badSignatures]).toEqual([400, "40009", 1]);
  });

  it("of an RSA key are verified with its public key; the secret is not accepted", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const rsaPublicKey = publicKey.export({ type: "spki", format: "pem" }).toString();
    const exchange = await simulator({ accounts: [{ ...classic, rsaPublicKey }] });
    const sign = createSign("RSA-SHA256").update(`${noon}GET${sample}`).sign(privateKey, "base64");

    const good = await send(exchange.url + sample, stamped(sign, String(noon)));
    const bad = await ask(exchange, classic, sample);

    expect([good.body.code, bad.body.code]).toEqual(["00000", "40009"]);
  });
});

describe("the order of checks", () => {
  const path = "/api/v2/spot/account/assets";
  const good = signed(classic, path);
  const { "ACCESS-KEY": key = "", ...keyless } = good;

  it.each<[string, string, Headers, number, string]>([
    ["the end of v1, signed or not", "/api/mix/v1/account/accounts", {}, 400, "30032"],
    ["the end of v1, public or not", "/api/spot/v1/public/time", {}, 400, "30032"],
    ["an unknown path before a missing key", "/api/v3/mix/position/all-position", {}, 404, "40404"],
    ["a missing key before everything in the request", path, keyless, 400, "40006"],
    [
      "an unknown key before its signature",
      path,
      { ...good, "ACCESS-KEY": "bg_nobody", "ACCESS-SIGN": "x" },
      400,
      "40037",
    ],
    ["a demo header on a live key", path, { ...good, paptrading: "1" }, 400, "40099"],
    [
      "the account mode before the signature",
      path,
      { ...good, "ACCESS-KEY": unified.key, "ACCESS-SIGN": "x" },
      400,
      "40085",
    ],
    ["the account mode the other way round", "/api/v3/account/settings", { "ACCESS-KEY": key }, 400, "40084"],
    ["a timestamp that is no number before the signature", path, { ...good, "ACCESS-TIMESTAMP": "now" }, 400, "40005"],
    [
      "a signature before the passphrase",
      path,
      { ...good, "ACCESS-SIGN": "x", "ACCESS-PASSPHRASE": "y" },
      400,
      "40009",
    ],
    ["a passphrase at last", path, { ...good, "ACCESS-PASSPHRASE": "y" }, 400, "40012"],
  ])("reports %s", async (_title, target, headers, status, code) => {
    const exchange = await simulator();

    const reply = await send(exchange.url + target, headers);

    expect([reply.status, reply.body.code, reply.body.data]).toEqual([status, code, null]);
  });

  it.each([
    [30_000, "00000"],
    [-30_000, "00000"],
    [30_001, "40008"],
    [-30_001, "40008"],
  ])("a timestamp that is %i ms off gets %s", async (off, code) => {
    const exchange = await simulator();

    const { body } = await ask(exchange, classic, path, noon + off);

    expect(body.code).toBe(code);
  });

  it("with its clock ahead, the exchange sends later times and rejects ours", async () => {
    const exchange = await simulator();
    exchange.clockSkewMs = 60_000;

    const refused = await ask(exchange, classic, path);
    const time = await send(`${exchange.url}/api/v2/public/time`);

    expect(refused.body.code).toBe("40008");
    expect(time.body).toMatchObject({ requestTime: noon + 60_000, data: { serverTime: String(noon + 60_000) } });
  });

  it.each([
    ["stor", "/api/v2/spot/account/bills", classic],
    ["stor", "/api/v2/spot/account/assets", classic],
    ["wtor", "/api/v2/spot/account/transferRecords?coin=USDT", classic],
    ["wtor", `/api/v2/spot/wallet/deposit-records?startTime=${noon - 1}&endTime=${noon}`, classic],
    ["coor", "/api/v2/mix/order/fills?productType=USDT-FUTURES", classic],
    ["cpor", "/api/v2/mix/account/bill?productType=USDT-FUTURES", classic],
    ["cpor", "/api/v2/mix/position/history-position", classic],
    ["smor", "/api/v2/margin/crossed/financial-records?startTime=1", classic],
    ["uta_mgt", "/api/v3/account/financial-records?category=OTHER", unified],
    ["uta_mgt", "/api/v3/account/funding-financial-records", unified],
    ["uta_trade", "/api/v3/trade/fills", unified],
    ["uta_trade", "/api/v3/position/history-position?category=USDT-FUTURES", unified],
  ] as const)("a key without %s may not read %s", async (permission, path, account) => {
    const exchange = await simulator();
    const codes = [(await ask(exchange, account, path)).body.code];

    exchange.restrict(
      account.name,
      allReadPermissions.filter((one) => one !== permission),
    );
    codes.push((await ask(exchange, account, path)).body.code);
    exchange.restrict(account.name, [permission]);
    codes.push((await ask(exchange, account, path)).body.code);

    expect(codes).toEqual(["00000", "40014", "00000"]);
  });

  it("a key may not read forbidden paths, and may read all others", async () => {
    const exchange = await simulator({ accounts: [{ ...classic, forbidden: ["/api/v2/mix"] }] });

    const barred = await ask(exchange, classic, sample);
    const free = await ask(exchange, classic, path);

    expect([barred.body.code, free.body.code]).toEqual(["40014", "00000"]);
  });

  it("a demo key requires the demo header", async () => {
    const exchange = await simulator({ accounts: [{ ...classic, demo: true }] });

    const without = await send(exchange.url + path, good);
    const withIt = await send(exchange.url + path, { ...good, paptrading: "1" });

    expect([without.body.code, withIt.body.code]).toEqual(["40099", "00000"]);
  });

  it.each([
    ["/api/v2/mix/account/accounts", "400172"],
    ["/api/v2/mix/account/accounts?productType=nonsense", "400172"],
    ["/api/v2/mix/account/account?marginCoin=USDT&productType=USDT-FUTURES&symbol=BTCUSDT_UMCBL", "40034"],
    ["/api/v2/mix/account/accounts?productType=usdt-futures", "00000"],
  ])("%s gets %s", async (target, code) => {
    const exchange = await simulator();

    const { body } = await ask(exchange, classic, target);

    expect(body.code).toBe(code);
  });

  it("v3 has no demo product types, and sends null if nothing is open", async () => {
    const exchange = await simulator({ from: noon });
    const target = "/api/v3/position/current-position?category=";

    const demo = await ask(exchange, unified, `${target}SUSDT-FUTURES`);
    const none = await ask(exchange, unified, `${target}COIN-FUTURES`);

    expect([demo.body.code, none.body.data]).toEqual(["400172", { list: null }]);
  });
});

it.each([
  ["v2 read", classic, "/api/v2/spot/account/info", { authorities: ["coor", "cpor", "stor", "smor", "wtor", "taxr"] }],
  ["v1 read", classic, "/api/spot/v1/account/getInfo", { authorities: ["readonly"] }],
  ["v3 read", unified, "/api/v3/account/info", { permType: "read-only" }],
])("the permissions of the key are reported: %s", async (_title, account, target, told) => {
  const exchange = await simulator({ v1: true });

  const { body } = await ask(exchange, account, target);

  expect(body.data).toMatchObject(told);
});

it("a trading key is reported in every API version", async () => {
  const exchange = await simulator({
    v1: true,
    accounts: [
      { ...classic, permissions: "trade" },
      { ...unified, permissions: "trade" },
    ],
  });

  const v1 = await ask(exchange, classic, "/api/spot/v1/account/getInfo");
  const v2 = await ask(exchange, classic, "/api/v2/spot/account/info");
  const v3 = await ask(exchange, unified, "/api/v3/account/info");

  expect(v1.body.data.authorities).toContain("trade");
  expect(v2.body.data.authorities).toEqual(expect.arrayContaining(["coow", "stow"]));
  expect(v3.body.data.permType).toBe("read-and-write");
});

describe("endpoints that a test adds", () => {
  const ledger = (path: string): Endpoint => ({
    version: "v2",
    path,
    perSecond: 2,
    signed: true,
    respond: (_view, { coin }) => ({
      data: [{ coin }],
      truths: [{ dataset: "made-up", scope: null, rows: [{ coin: "BTC" }] }],
    }),
  });

  it("are checked, limited, answered and recorded like the others", async () => {
    const path = "/api/v2/made/up";
    const exchange = await simulator({ endpoints: [ledger(path)] });

    expect((await send(exchange.url + path)).body.code).toBe("40006");
    const answers = [await ask(exchange, classic, `${path}?coin=BTC`), await ask(exchange, classic, path)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[0]?.body.data).toEqual([{ coin: "BTC" }]);
    expect((await ask(exchange, classic, path)).status).toBe(429);

    const row = { account: "main", dataset: "made-up", scope: null, takenAt: noon, rows: [{ coin: "BTC" }] };
    expect(exchange.record).toEqual([row, row]);
  });

  it("do not stand in for one that has a model", async () => {
    const path = "/api/v2/spot/account/assets";
    const exchange = await simulator({ endpoints: [ledger(path)] });

    await ask(exchange, classic, path);

    expect(exchange.record.map(({ dataset }) => dataset)).toEqual(["spot-assets"]);
    expect([isModelled(path), isModelled("/api/v2/made/up")]).toEqual([true, false]);
  });
});
