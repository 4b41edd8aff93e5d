import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { expect, it, onTestFinished } from "vitest";
import { openClients } from "../../src/app.ts";
import { createHttp } from "../../src/bitget/wire/http.ts";
import { systemClock } from "../../src/core/clock.ts";
import { ConfigError } from "../../src/core/errors.ts";
import { endpointNamed } from "../../src/datasets/endpoints.ts";
import { sourceAddressOf } from "../../src/network/source-addresses.ts";
import { loadConfig } from "../../src/settings/config.ts";
import { answer } from "../bitget/support.ts";
import { classic, credentials } from "../support/settings.ts";

const addresses = ["127.0.0.1", "127.0.0.2"];
const own = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ internal }) => !internal)?.address;

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig({ ...credentials(classic), ...env });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

it.each([
  ["127.0.0.1, 127.0.0.2", []],
  ["::1", []],
  ...(own ? [[own, []] as [string, string[]]] : []),
  ["203.0.113.250", ["has 203.0.113.250, which is not an address of this machine"]],
  ["2001:db8::250,127.0.0.1", ["has 2001:db8::250, which is not an address of this machine"]],
  ["eth0", ['has "eth0", which is not an internet address such as 203.0.113.7']],
  ["::1,0:0:0:0:0:0:0:1", ["has ::1 twice"]],
  ["127.0.0.1,::ffff:127.0.0.1", ["has 127.0.0.1 twice"]],
] as [string, string[]][])(
  "SOURCE_ADDRESSES=%s is judged by the addresses of this machine",
  (SOURCE_ADDRESSES, problems) => {
    expect(problemsOf({ SOURCE_ADDRESSES })).toEqual(problems.map((problem) => `SOURCE_ADDRESSES ${problem}`));
  },
);

it("source addresses are rejected with a proxy unless the exchange is reached directly", () => {
  const env = { SOURCE_ADDRESSES: "127.0.0.1", HTTPS_PROXY: "http://proxy.example:3128" };
  expect(problemsOf(env)).toEqual([
    "SOURCE_ADDRESSES cannot be used with HTTPS_PROXY: all requests would leave from the address of the proxy; unset one of them, or name the exchange in NO_PROXY",
  ]);
  expect(problemsOf({ ...env, NO_PROXY: "api.bitget.com" })).toEqual([]);
});

it("commands that send no requests ignore the source addresses", () => {
  const config = loadConfig({ SOURCE_ADDRESSES: "203.0.113.250" }, { credentials: false });
  expect(config.sourceAddresses).toEqual([]);
});

it("accounts keep their address, and a thousand are spread evenly over them", () => {
  expect(["main", "hedge", "desk", "copy"].map((name) => sourceAddressOf(name, addresses))).toEqual([
    "127.0.0.1",
    "127.0.0.1",
    "127.0.0.2",
    "127.0.0.1",
  ]);
  expect([sourceAddressOf(null, addresses), sourceAddressOf("main", [])]).toEqual(["127.0.0.1", null]);
  const names = Array.from({ length: 1000 }, (_, index) => `sub${index}`);
  const counts = addresses.map(
    (address) => names.filter((name) => sourceAddressOf(name, addresses) === address).length,
  );
  for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(60);
});

it("requests of an account leave from its address, through connections that the accounts of an address share", async () => {
  const seen: { key: unknown; address: string | undefined; port: number | undefined }[] = [];
  const server = createServer((request, response) => {
    const { remoteAddress: address, remotePort: port } = request.socket;
    seen.push({ key: request.headers["access-key"], address, port });
    response.setHeader("content-type", "application/json").end(answer({}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const names = ["main", "hedge", "desk", "copy"];
  const keys = names.map((name) =>
    credentials({ ...classic, key: `${classic.key}${name}` }, `BITGET_${name.toUpperCase()}`),
  );
  const config = loadConfig({
    ...Object.assign({}, ...keys),
    BITGET_ACCOUNTS: names.join(),
    BITGET_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    LOG_LEVEL: "silent",
    REQUESTS_PER_MINUTE: "100",
    SOURCE_ADDRESSES: addresses.join(),
  });
  const clients = openClients(config, null, systemClock);
  onTestFinished(() => clients.close());
  const signal = new AbortController().signal;
  for (const { client } of [...clients.sessions, ...clients.sessions])
    await client.get(endpointNamed("v2/spot-assets"), {}, { signal });
  await clients.publicSession.client.measureOffset(signal).catch(() => {});

  const signed = seen.filter(({ key }) => key !== undefined);
  const expected = names.map((name) => ({ key: `${classic.key}${name}`, address: sourceAddressOf(name, addresses) }));
  expect(signed.map(({ key, address }) => ({ key, address }))).toEqual([...expected, ...expected]);
  expect(seen.filter(({ key }) => key === undefined).map(({ address }) => address)).toEqual(["127.0.0.1"]);
  expect(new Set(seen.map(({ address, port }) => `${address} ${port}`)).size).toBe(2);
  const left = clients.limiter
    .budget()
    .flatMap(({ path, address, requests }) => (path === null ? [[address, requests]] : []));
  expect(left).toEqual([
    ["127.0.0.1", 100 - 6 - 1],
    ["127.0.0.2", 100 - 2],
  ]);
});

it("a request from an address that the machine no longer has fails with that reason", async () => {
  const http = createHttp(["http://127.0.0.1:1"], { sourceAddress: "203.0.113.250" });
  onTestFinished(() => http.close());
  const request = http.get("/api/x", () => ({}), new AbortController().signal);
  await expect(request).rejects.toThrow("/api/x: this machine no longer has the address to send from");
});
