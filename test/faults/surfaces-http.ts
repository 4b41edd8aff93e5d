/** Rows U4 to U7: malicious requests to the dashboard. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { expect } from "vitest";
import { type Response, sendLines, sendRequest } from "../support/http.ts";
import type { Running } from "../support/program.ts";
import { serveCoins } from "./hostile-coins.ts";
import { type Bench, row, type Settings } from "./row.ts";
import { nextRun, positions } from "./runs.ts";
import { startupProblems } from "./startup-problems.ts";

export interface Served {
  daemon: Running;
  port: number;
}

/** Starts a daemon that serves the dashboard. */
export async function serving(bench: Bench, env: Settings = {}): Promise<Served> {
  const daemon = await bench.start({ HTTP_PORT: "0", ...env });
  await daemon.printed("dashboard:");
  const [, port] = /dashboard: the pages are at http:\/\/127\.0\.0\.1:(\d+)\//.exec(daemon.output().stderr) ?? [];
  return { daemon, port: Number(port) };
}

const traversals = [
  "/../../../etc/passwd",
  "/assets/../../../../etc/passwd",
  "/assets/..%2f..%2f..%2fpackage.json",
  "/assets/%2e%2e/%2e%2e/server.js",
  "/assets/%2Fetc%2Fpasswd",
  "/assets//etc/passwd",
  "/assets/icon.svg%00.css",
  "/assets/..\\..\\package.json",
  "/data/collector.db",
  "/.env",
];

row("U4b", "path traversal over HTTP: ../, %2e%2e%2f, absolute, NUL", { timeoutSeconds: 60 }, async (bench) => {
  const { port } = await serving(bench);
  const answers = await Promise.all(traversals.map((path) => sendRequest(port, path)));
  for (const [n, { status, body }] of answers.entries()) {
    expect([traversals[n], [400, 404].includes(status)]).toEqual([traversals[n], true]);
    expect(body.length).toBeLessThan(100);
  }
});

row(
  "U5",
  "DNS rebinding: a foreign Host, two, none; a foreign Origin; a form of another site",
  { inEveryRun: true },
  async (bench) => {
    const { port } = await serving(bench);
    const mine = `127.0.0.1:${port}`;
    const hosts = [`evil.example:${port}`, `127.0.0.1.nip.io:${port}`, "localhost.", `${mine}, evil.example`, null];
    const byHost = await Promise.all(hosts.map((Host) => sendRequest(port, "/", { Host })));
    const twice = await sendLines(port, ["GET / HTTP/1.1", `Host: ${mine}`, "Host: evil.example", "Connection: close"]);
    const byOrigin = await Promise.all([
      sendRequest(port, "/", { Origin: "http://evil.example" }),
      sendRequest(port, "/", { Origin: "null" }),
      sendRequest(port, "/", {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "no-cors",
        "Sec-Fetch-Dest": "script",
      }),
    ]);
    const form = { "Content-Type": "application/x-www-form-urlencoded", Origin: "http://evil.example" };
    const posted = await sendRequest(port, "/login", form, { method: "POST", body: "token=x" });
    const methods = ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    const byMethod = await Promise.all(methods.map((method) => sendRequest(port, "/", {}, { method })));
    const statuses = (answers: readonly Response[]) => answers.map(({ status }) => status);
    expect(statuses([...byHost, twice])).toEqual([421, 421, 421, 421, 421, 421]);
    expect(statuses([...byOrigin, posted])).toEqual([403, 403, 403, 405]);
    expect(statuses(byMethod)).toEqual(methods.map(() => 405));
    const fine = await sendRequest(port, "/", { Host: `localhost:${port}`, Origin: `http://localhost:${port}` });
    expect(fine.status).toBe(200);
    for (const { headers } of [...byHost, twice, ...byOrigin, posted, ...byMethod, fine])
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  },
);

/** Returns the local addresses that listen on a port, in the kernel's notation. */
const listeners = (port: number): string[] =>
  ["/proc/net/tcp", "/proc/net/tcp6"]
    .flatMap((file) => readFileSync(file, "utf8").split("\n").slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === "0A" && Number.parseInt(fields[1]?.split(":")[1] ?? "", 16) === port)
    .map((fields) => fields[1]?.split(":")[0] ?? "");

const isReached = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const end = (reached: boolean) => {
      socket.destroy();
      resolve(reached);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });

row("U6", "dashboard on an address other than loopback", { timeoutSeconds: 60 }, async (bench) => {
  const missing =
    "HTTP_TOKEN is missing, and HTTP_HOST opens the dashboard to other machines; set a token of at least 16 characters, for example from `openssl rand -hex 24`";
  for (const HTTP_HOST of ["0.0.0.0", "::", "192.168.1.2"])
    expect(await startupProblems(bench, { HTTP_HOST, HTTP_PORT: "0" })).toEqual([missing]);

  const near = await serving(bench);
  if (process.platform === "linux") expect(listeners(near.port)).toEqual(["0100007F"]);
  const others = Object.values(networkInterfaces()).flatMap((all = []) => all.filter(({ internal }) => !internal));
  const [other] = others.filter(({ family }) => family === "IPv4");
  if (other) expect(await isReached(other.address, near.port)).toBe(false);
  expect(await isReached("127.0.0.1", near.port)).toBe(true);
  await bench.stop(near.daemon);

  const HTTP_TOKEN = "canary-of-the-token";
  const far = await serving(bench, { HTTP_HOST: "0.0.0.0", HTTP_TOKEN });
  expect((await sendRequest(far.port, "/", { Host: "192.168.1.2" })).status).toBe(401);
  expect(
    (await sendRequest(far.port, "/", { Host: "192.168.1.2", Authorization: `Bearer ${HTTP_TOKEN}` })).status,
  ).toBe(200);
  const { stdout, stderr } = await bench.stop(far.daemon);
  expect(stdout + stderr).not.toContain(HTTP_TOKEN);
});

const mark = "ZZ9";
const hostileCoin = `<IMG SRC=X ONERROR=ALERT(${mark})>`;
const hostileText = `</script><script>alert("${mark}")</script>`;

/** Returns every page that can be reached by links from the first one, with its response. */
async function crawl(port: number): Promise<Map<string, Response>> {
  const pages = new Map<string, Response>();
  const left = ["/"];
  for (let path = left.shift(); path !== undefined && pages.size < 100; path = left.shift()) {
    if (pages.has(path)) continue;
    const answer = await sendRequest(port, path);
    pages.set(path, answer);
    const base = new URL(path, `http://127.0.0.1:${port}`);
    for (const [, link = ""] of answer.body.matchAll(/ (?:href|src)="([^"]*)"/g)) {
      const { origin, pathname, search } = new URL(link.replaceAll("&amp;", "&"), base);
      if (origin === base.origin && pathname !== "/live") left.push(pathname + search);
    }
  }
  return pages;
}

row("U7", "XSS in a coin and in the text of an error", { timeoutSeconds: 90 }, async (bench) => {
  serveCoins(bench.exchange, [{ coin: hostileCoin }, { coin: "BTC" }]);
  const forever = { times: Number.POSITIVE_INFINITY };
  bench.exchange.injectFault({ path: positions, ...forever, code: "40034", message: hostileText });
  const { daemon, port } = await serving(bench);
  await Promise.all([nextRun(daemon, "spot-assets", "ok", 0), nextRun(daemon, "positions", "failed", 0)]);
  const pages = await crawl(port);
  const html = [...pages.values()].filter(({ headers }) => headers["content-type"]?.startsWith("text/html"));
  expect(html.length).toBeGreaterThan(5);
  for (const [path, { status, headers, body }] of pages) {
    // Positions fail, which /healthz may report already.
    if (path !== "/healthz") expect([path, status]).toEqual([path, 200]);
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /);
    if (html.includes(pages.get(path) as Response)) expect(body).not.toMatch(/<img src=x|<script>alert/i);
  }
  // Both are shown as text.
  const all = html.map(({ body }) => body).join("\n");
  expect(all).toContain(`&lt;IMG SRC=X ONERROR=ALERT(${mark})&gt;`);
  expect(all).toContain("&lt;/script&gt;");
});
