/** Row C9b: the exchange and the heartbeat can only be reached through a proxy. */
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { expect } from "vitest";
import { selfSigned } from "../bitget/self-signed.ts";
import { startConnectProxy } from "../support/proxies.ts";
import { until } from "../support/wait.ts";
import { type Bench, row } from "./row.ts";
import { nextRun } from "./runs.ts";

row(
  "C9b",
  "HTTPS_PROXY with a password: the only route, refusing, exempted by NO_PROXY",
  { timeoutSeconds: 120 },
  async (bench) => {
    const proxy = await startConnectProxy();
    bench.onEnd(proxy.close);
    proxy.login = "collector:Canary-of-the-proxy";
    const beats: string[] = [];
    const monitor = createServer((request, response) => {
      beats.push(request.url ?? "");
      response.end();
    });
    await new Promise<void>((ready) => monitor.listen(0, "127.0.0.1", ready));
    bench.onEnd(() => void monitor.close().closeAllConnections());
    const exchange = await startTls(bench, "exchange.example", Number(new URL(bench.exchange.url).port));
    const pings = await startTls(bench, "pings.example", (monitor.address() as AddressInfo).port);
    writeFileSync(join(bench.folder, "authorities.pem"), exchange.cert + pings.cert);

    const env = {
      BITGET_BASE_URL: exchange.url,
      HEARTBEAT_URL: `${pings.url}/0123456789abcdef`,
      NODE_EXTRA_CA_CERTS: join(bench.folder, "authorities.pem"),
      HTTPS_PROXY: `http://${proxy.login}@127.0.0.1:${proxy.port}`,
      SCHEDULE_POSITIONS: "",
    };
    const daemon = await bench.start(env);
    for (let n = 0; n < 3; n += 1)
      expect(await nextRun(daemon, "spot-assets")).toMatchObject({ state: "ok", requests: 1 });
    await until(() => beats.length > 0);
    // One tunnel is kept for all consecutive requests to the exchange.
    const tunnels = proxy.connectedTo.filter((one) => one === exchange.url.slice("https://".length));
    expect(tunnels.length).toBeLessThan(bench.exchange.counts.requests);
    expect(proxy.sent().toString("latin1")).not.toMatch(/GET |ACCESS-/i);

    proxy.status = 403;
    exchange.cut();
    const refused = await nextRun(daemon, "spot-assets");
    const name = `127.0.0.1:${proxy.port} (HTTPS_PROXY)`;
    expect(refused).toMatchObject({ state: "failed", failed: [expect.stringContaining(`the proxy ${name} refused`)] });
    proxy.status = 200;
    expect(await nextRun(daemon, "spot-assets")).toMatchObject({ state: "ok" });
    await bench.stop(daemon);

    const check = await bench.run(["check"], env);
    expect([check.code, check.stdout]).toEqual([
      0,
      expect.stringContaining(`proxy      exchange.example is reached through ${name}\n`),
    ]);
    const wrong = await bench.run(["check"], {
      ...env,
      HTTPS_PROXY: `http://a:wrong-password@127.0.0.1:${proxy.port}`,
    });
    expect([wrong.code, wrong.stdout]).toEqual([
      1,
      expect.stringContaining(`the proxy ${name} requires a valid user name and password`),
    ]);
    const exempt = await bench.run(["check"], { ...env, NO_PROXY: "other.example, exchange.example" });
    expect([exempt.code, exempt.stdout]).toEqual([
      1,
      expect.stringContaining("HTTPS_PROXY is not used for exchange.example: NO_PROXY names it\n"),
    ]);
    expect(exempt.stdout).toMatch(/\((ENOTFOUND|EAI_AGAIN)\), directly: HTTPS_PROXY is not used for it/);
    const printed = [daemon.output(), check, wrong, exempt].map(({ stdout, stderr }) => stdout + stderr).join();
    expect(printed).not.toMatch(/Canary-of-the-proxy|wrong-password/);
    expect(printed).not.toContain(Buffer.from(proxy.login).toString("base64"));
  },
);

/** Starts a TLS server for a host name that only the proxy resolves, in front of a local port. */
async function startTls({ onEnd }: Bench, host: string, inside: number) {
  const { key, cert } = selfSigned({ host });
  const sockets = new Set<{ destroy(): void }>();
  const server = createTlsServer({ key, cert }, (socket) => {
    const far = connect(inside, "127.0.0.1");
    sockets.add(socket).add(far);
    socket.on("error", () => {}).on("close", () => far.destroy());
    far.on("error", () => {}).on("close", () => socket.destroy());
    socket.pipe(far).pipe(socket);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  onEnd(() => {
    server.close();
    cut();
  });
  return { url: `https://${host}:${(server.address() as AddressInfo).port}`, cert, cut };
}
