import { createHmac, generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { signer, target } from "../../../src/bitget/wire/sign.ts";
import { type Account, Secret } from "../../../src/core/domain.ts";
import { ConfigError, UsageError } from "../../../src/core/errors.ts";

const secret = "5f4dcc3b5aa765d61d8327deb882cf99a1b2c3d4e5f60718293a4b5c6d7e8f90";
const account: Account = {
  name: "main",
  key: new Secret("bg_0123456789abcdef0123456789abcdef"),
  secret: new Secret(secret),
  passphrase: new Secret("Correct-Horse-9"),
  api: "v2",
};
const at = 1_700_000_000_000;
const signature = (timestamp: number, asked: string) => signer(account)(timestamp, "GET", asked)["ACCESS-SIGN"];

const positions = "/api/v2/mix/position/all-position";
const right = "VZl6N1yAPHPcQXSRVUdz5w+Y5gizbHMYS2Wp8/AFoAc=";

describe("the signature", () => {
  it.each([
    ["/api/v2/spot/account/assets", {}, "Ymp7evZnueizwrtQHCPfQIrulifKeMYFeI31ubRS6oA="],
    [positions, { productType: "USDT-FUTURES", marginCoin: "USDT" }, right],
    [
      "/api/v3/position/current-position",
      { symbol: "BTCUSDT", category: "USDT-FUTURES" },
      "DjXDV/g2XGy08SEnr1gMZy4uK7gQyNaZXH8GKkWwv78=",
    ],
    [
      "/api/mix/v1/position/allPosition",
      { productType: "umcbl", marginCoin: "USDT" },
      "6tXiYeQ1Buj4VleZUfBuWAxa62rz5Lvl+Cx24XoJ1hk=",
    ],
    ["/api/v2/mix/account/accounts", { productType: "USDT-FUTURES" }, "NZRnn6e41mHvYHFmUdtrGfqG/PZvBh0N3/DzepJi4uc="],
  ])("of %s %j is the one every library computes", (path, params, expected) => {
    expect(signature(at, target(path, params))).toBe(expected);
  });

  it("covers the body of a POST", () => {
    const headers = signer(account)(
      at,
      "POST",
      "/api/v2/spot/trade/cancel-order",
      '{"symbol":"BTCUSDT","orderId":"1"}',
    );

    expect(headers["ACCESS-SIGN"]).toBe("R2tz5qxf7eJjaWzAXfEzaYzJkRC0+sQHZn8hxb8nZUQ=");
  });

  it.each([
    [
      "the ? left out",
      at,
      `${positions}marginCoin=USDT&productType=USDT-FUTURES`,
      "/mlvFZWdbwji1R2zHrzX6EwypnsMGD9UWnLcrDsa7RU=",
    ],
    [
      "unsorted",
      at,
      `${positions}?productType=USDT-FUTURES&marginCoin=USDT`,
      "kmYz5RqYj5Jyr4Xc/4fQcF9YoMtvw2ORSj8Sn9xzuQ8=",
    ],
    [
      "seconds",
      1_700_000_000,
      `${positions}?marginCoin=USDT&productType=USDT-FUTURES`,
      "blbP6MR1Uv6ifTrT+V5Dr5L44r8VPSDhHfVNkPPFRGA=",
    ],
  ])("would be another one with %s", (_mistake, timestamp, asked, wrong) => {
    expect(signature(timestamp, asked)).toBe(wrong);
    expect(wrong).not.toBe(right);
  });

  it("is computed from the digest, not from its hexadecimal text", () => {
    const text = `${at}GET${positions}?marginCoin=USDT&productType=USDT-FUTURES`;
    const wrong = Buffer.from(createHmac("sha256", secret).update(text).digest("hex")).toString("base64");

    expect(wrong).toBe("NTU5OTdhMzc1YzgwM2M3M2RjNDE3NDkxNTU0NzczZTcwZjk4ZTYwOGIzNmM3MzE4NGI2NWE5ZjNmMDA1YTAwNw==");
    expect(right).not.toBe(wrong);
  });

  it("is RSA if the secret is a private key", () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();

    const headers = signer({ ...account, secret: new Secret(pem) })(at, "GET", "/api/v2/spot/account/assets");

    const signed = Buffer.from("1700000000000GET/api/v2/spot/account/assets");
    expect(verify("sha256", signed, publicKey, Buffer.from(headers["ACCESS-SIGN"] ?? "", "base64"))).toBe(true);
  });

  it.each([
    ["-----BEGIN PRIVATE KEY-----\nbroken\n-----END PRIVATE KEY-----"],
    [generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString()],
  ])("cannot use another kind of private key; the error does not show it", (pem) => {
    expect(() => signer({ ...account, secret: new Secret(pem) })).toThrow(
      new ConfigError(['the secret of account "main" is not a readable RSA private key']),
    );
  });
});

it("the other headers are the key, the time, the passphrase and the language", () => {
  const { "ACCESS-SIGN": _, ...others } = signer(account)(at, "GET", "/api/v2/spot/account/assets");

  expect(others).toEqual({
    "ACCESS-KEY": "bg_0123456789abcdef0123456789abcdef",
    "ACCESS-TIMESTAMP": "1700000000000",
    "ACCESS-PASSPHRASE": "Correct-Horse-9",
    locale: "en-US",
  });
});

it("a passphrase that is not allowed in a header is rejected before anything is sent", () => {
  expect(() => signer({ ...account, passphrase: new Secret("pass\nword") })).toThrow(ConfigError);
});

it.each(["$ALTUSDT", "a b", "a&b", "a%20b", "é", "", "a/b", "a\n"])("a parameter of %j is refused", (value) => {
  expect(() => target("/api/v2/spot/account/assets", { coin: value })).toThrow(UsageError);
});

it.each([
  "//evil.example/api",
  "/api",
  "/api/../x",
  "/api/x?y=1",
  "/api/x#y",
  "http://evil.example/api/x",
  "/other/x",
  "/api/x\n",
])("a path of %j is refused", (path) => {
  expect(() => target(path, {})).toThrow(UsageError);
});
