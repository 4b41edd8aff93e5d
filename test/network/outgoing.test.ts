/** Requests through proxies on loopback: what the proxy sees, and what is said when it does not do its part. */
import { createServer, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { expect, it, onTestFinished } from "vitest";
import { post } from "../../src/alerts/delivery/post.ts";
import { createHttp } from "../../src/bitget/wire/http.ts";
import { systemClock } from "../../src/core/clock.ts";
import { Secret } from "../../src/core/domain.ts";
import { createLog } from "../../src/core/log.ts";
import { Heartbeat } from "../../src/monitoring/heartbeat.ts";
import { type ProxySettings, readProxySettings } from "../../src/network/proxy.ts";
import { selfSigned } from "../bitget/self-signed.ts";
import { failureOf } from "../bitget/support.ts";
import { start } from "../store/kit.ts";
import { open, temporaryPath } from "../store/temporary.ts";
import { startConnectProxy, startSocksProxy } from "../support/proxies.ts";
import { until } from "../support/wait.ts";

const proxied = (HTTPS_PROXY: string): ProxySettings =>
  readProxySettings(
    (name) => (name === "HTTPS_PROXY" ? HTTPS_PROXY : ""),
    (name, problem) => expect.fail(`${name} ${problem}`),
  );

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

async function connectProxy() {
  const proxy = await startConnectProxy();
  onTestFinished(proxy.close);
  return proxy;
}

async function socksProxy() {
  const proxy = await startSocksProxy();
  onTestFinished(proxy.close);
  return proxy;
}

/** What becomes of a signed request to a host that only the proxy knows. */
function failure(proxy: string, hosts = ["https://exchange.example"]) {
  const http = createHttp(hosts, { proxy: proxied(proxy) });
  onTestFinished(() => http.close());
  return failureOf(http.get("/api/x?y=1", () => ({ "ACCESS-KEY": "the-key" }), new AbortController().signal));
}

it("the error names a proxy that refuses, and the next host is tried", async () => {
  const proxy = await connectProxy();
  proxy.status = 403;
  const error = await failure(`http://127.0.0.1:${proxy.port}`, ["https://a.example", "https://b.example"]);
  const name = `127.0.0.1:${proxy.port} (HTTPS_PROXY)`;
  expect([error.kind, error.message]).toEqual([
    "network",
    `/api/x: the proxy ${name} refused to connect to b.example (HTTP 403)`,
  ]);
  expect(proxy.connectedTo).toEqual(["a.example:443", "b.example:443"]);
});

it("the error names a proxy that requires a login, without the password", async () => {
  const proxy = await connectProxy();
  proxy.login = "me:right-password";
  const error = await failure(`http://me:wrong-password@127.0.0.1:${proxy.port}`);
  const host = `127.0.0.1:${proxy.port}`;
  expect(error.message).toContain(
    `the proxy ${host} (HTTPS_PROXY) requires a valid user name and password (HTTP 407); set HTTPS_PROXY=http://USER:PASSWORD@${host}`,
  );
  expect(error.message).not.toContain("wrong-password");
});

it("the error names a proxy that cannot be reached or ends the connection", async () => {
  const closed = await portOf(createServer((socket) => void socket.destroy()));
  const cut = await failure(`http://127.0.0.1:${closed}`);
  expect(cut.message).toMatch(
    new RegExp(`the proxy 127\\.0\\.0\\.1:${closed} \\(HTTPS_PROXY\\) could not connect: (ECONNRESET|.*ended before)`),
  );
  const none = await failure("http://127.0.0.1:9");
  expect(none.message).toBe("/api/x: the proxy 127.0.0.1:9 (HTTPS_PROXY) could not connect: ECONNREFUSED");
});

it("the error names a proxy that does not respond in time", async () => {
  const port = await portOf(createServer((socket) => void onTestFinished(() => void socket.destroy())));
  const timeouts = { lookup: 100, connect: 100, secureConnect: 100, response: 30_000, request: 30_000 };
  const http = createHttp(["https://exchange.example"], { proxy: proxied(`http://127.0.0.1:${port}`), timeouts });
  const error = await failureOf(http.get("/api/x", () => ({}), new AbortController().signal));
  expect(error.message).toContain(`127.0.0.1:${port} (HTTPS_PROXY) could not connect: no response within 0.2 s`);
});

it.each([
  ["http", connectProxy],
  ["socks5h", socksProxy],
])("through a tunnel of %s the certificate of the host is verified", async (scheme, started) => {
  const proxy = await started();
  let requests = 0;
  const tls = createTlsServer(selfSigned({ host: "exchange.example" }), () => {
    requests += 1;
  });
  tls.on("tlsClientError", () => {});
  const port = await portOf(tls);
  const error = await failure(`${scheme}://127.0.0.1:${proxy.port}`, [`https://exchange.example:${port}`]);
  expect(error.kind).toBe("tls");
  const way = `through the proxy 127.0.0.1:${proxy.port} (HTTPS_PROXY)`;
  expect(error.message).toContain(`no TLS connection to exchange.example (DEPTH_ZERO_SELF_SIGNED_CERT, ${way}): check`);
  expect(error.message).toMatch(/set NODE_EXTRA_CA_CERTS to the file of its certificate authority$/);
  expect([proxy.connectedTo, requests]).toEqual([[`exchange.example:${port}`], 0]);
  expect(proxy.sent().toString("latin1")).not.toMatch(/GET|the-key/);
});

it("the error names the direct route if a proxy is set but not used", async () => {
  const proxy = await connectProxy();
  const error = await failure(`http://127.0.0.1:${proxy.port}`, ["https://127.0.0.1:9"]);
  expect(error.message).toBe(
    "/api/x: no response from 127.0.0.1 (ECONNREFUSED), directly: HTTPS_PROXY is not used for it",
  );
  expect(proxy.connectedTo).toEqual([]);
});

it("a webhook is reached through the proxy, and the error names a refusal", async () => {
  const proxy = await connectProxy();
  proxy.status = 502;
  const settings = { proxy: proxied(`http://127.0.0.1:${proxy.port}`) };
  const url = new Secret("https://hooks.example/services/0123456789abcdef0123");
  await expect(post(url, "{}", new AbortController().signal, settings)).rejects.toThrow(
    `the proxy 127.0.0.1:${proxy.port} (HTTPS_PROXY) refused to connect to hooks.example (HTTP 502)`,
  );
  expect(proxy.connectedTo).toEqual(["hooks.example:443"]);
});

/** The port of a host whose certificate nobody vouches for. */
async function unprovenPort(): Promise<number> {
  const server = createTlsServer(selfSigned());
  server.on("tlsClientError", () => {});
  return portOf(server);
}

it("a webhook with an invalid certificate fails with advice", async () => {
  const url = new Secret(`https://localhost:${await unprovenPort()}/services/0123456789abcdef0123`);
  await expect(post(url, "{}", new AbortController().signal)).rejects.toThrow(
    "no TLS connection to localhost (DEPTH_ZERO_SELF_SIGNED_CERT): check ALERT_WEBHOOK_URL; if a proxy inspects TLS, set NODE_EXTRA_CA_CERTS to the file of its certificate authority",
  );
});

it("a heartbeat with an invalid certificate logs the advice, without the URL", async () => {
  const lines: string[] = [];
  const log = createLog({ level: "warn", format: "json", secrets: [], write: (line) => lines.push(line) });
  const url = new Secret(`https://localhost:${await unprovenPort()}/0123456789abcdef0123`);
  const store = await open(temporaryPath());
  const heartbeat = new Heartbeat({ url, store, clock: systemClock, log });
  onTestFinished(() => heartbeat.close());
  const at = { slot: start, startedAt: start, finishedAt: start };
  const tally = { requests: 1, retries: 0, rateLimited: 0, responses: 0 };
  await heartbeat.onEnded({ account: "main", dataset: "positions", state: "failed", failures: [], ...at, ...tally });
  await until(() => lines.length > 0);
  expect(lines.join()).toContain(
    "the request to HEARTBEAT_URL failed (DEPTH_ZERO_SELF_SIGNED_CERT: check HEARTBEAT_URL; if a proxy inspects TLS, set NODE_EXTRA_CA_CERTS to the file of its certificate authority); collecting continues",
  );
  expect(lines.join()).not.toContain("localhost");
});
