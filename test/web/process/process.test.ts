/** Runs the real daemon and its dashboard process. */
import { createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { startExchange } from "../../support/exchange.ts";
import { temporaryFolder } from "../../support/files.ts";
import { sendRequest } from "../../support/http.ts";
import { childrenOf, isAlive, nicenessOf, readableByOthers } from "../../support/processes.ts";
import { type Running, start } from "../../support/program.ts";
import { classic, credentials, everyDataset } from "../../support/settings.ts";
import { until } from "../../support/wait.ts";

const token = "a-token-of-the-pages";
const dashboardLine = /dashboard: the pages are at http:\/\/127\.0\.0\.1:(\d+)\//g;

/** Returns the port that was logged last; NaN if there is none. */
const portOf = (daemon: Running): number => Number([...daemon.output().stderr.matchAll(dashboardLine)].at(-1)?.[1]);

const timesListening = (daemon: Running): number => [...daemon.output().stderr.matchAll(dashboardLine)].length;

async function begin(env: Record<string, string> = {}) {
  const exchange = await startExchange({ accounts: [classic] });
  onTestFinished(() => exchange.close());
  const directory = temporaryFolder();
  const daemon = start(["start"], directory, {
    ...credentials(classic),
    BITGET_BASE_URL: exchange.url,
    ...everyDataset("* * * * * *"),
    HTTP_PORT: "0",
    ...env,
  });
  await daemon.printed("collecting main");
  const pid = daemon.child.pid ?? 0;
  return { daemon, directory, pid };
}

const listening = (daemon: Running) => daemon.printed("dashboard: the pages are at http");

/** Occupies a port until `free` is called. */
async function occupyPort(): Promise<{ port: number; free(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const free = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { port: typeof address === "object" ? (address?.port ?? 0) : 0, free };
}

/** Resolves when /healthz responds with 200; with one slot a second, a busy machine may be late at first. */
async function untilHealthy(port: number): Promise<void> {
  while ((await sendRequest(port, "/healthz")).status !== 200) await setTimeout(50);
}

describe.skipIf(process.platform !== "linux")("the dashboard process", () => {
  it("runs at low priority, knows the token but no API key, and ends with the daemon", async () => {
    const { daemon, pid } = await begin({ HTTP_TOKEN: token });
    await listening(daemon);
    const [child = 0, ...others] = childrenOf(pid);
    expect(others).toEqual([]);
    expect(nicenessOf(child)).toBe(Math.min(nicenessOf(pid) + 10, 19));
    const shown = readableByOthers(child);
    expect(shown).toContain("child.js");
    for (const secret of [classic.key, classic.secret, classic.passphrase, token]) expect(shown).not.toContain(secret);
    const port = portOf(daemon);
    expect((await sendRequest(port, "/")).status).toBe(401);
    expect((await sendRequest(port, "/", { Authorization: `Bearer ${token}` })).status).toBe(200);
    daemon.child.kill("SIGTERM");
    expect((await daemon.finished).code).toBe(0);
    expect(isAlive(child)).toBe(false);
    expect(daemon.output().stderr).not.toContain(token);
  });

  it("ignores the signals that a terminal sends to both, and ends when the daemon is killed", async () => {
    const { daemon, pid } = await begin();
    await listening(daemon);
    const [child = 0] = childrenOf(pid);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(child, signal);
    await untilHealthy(portOf(daemon));
    daemon.child.kill("SIGKILL");
    await daemon.finished;
    await until(() => !isAlive(child));
  });

  it("is restarted when it dies, while collecting continues", async () => {
    const { daemon, pid } = await begin();
    await listening(daemon);
    const [child = 0] = childrenOf(pid);
    process.kill(child, "SIGKILL");
    await until(() => timesListening(daemon) === 2);
    expect(daemon.output().stderr).toContain("dashboard process ended (SIGKILL); restarting in 1 s");
    await untilHealthy(portOf(daemon));
  });

  it("retries while its port is in use, and logs that once", async () => {
    const taken = await occupyPort();
    const { daemon } = await begin({ HTTP_PORT: String(taken.port) });
    await daemon.printed(
      `port ${taken.port} of 127.0.0.1 is in use by another program; set HTTP_PORT to another port, or leave it empty to disable the dashboard. Retrying; collecting continues.`,
    );
    await taken.free();
    await listening(daemon);
    expect(daemon.output().stderr.split("is in use by another program")).toHaveLength(2);
    await untilHealthy(taken.port);
  });

  it("reports a daemon that does not answer as stuck", async () => {
    const { daemon } = await begin();
    await listening(daemon);
    const port = portOf(daemon);
    daemon.child.kill("SIGSTOP");
    const { status, body } = await sendRequest(port, "/healthz");
    expect([status, JSON.parse(body)]).toEqual([503, expect.objectContaining({ daemon: "does not answer" })]);
    expect((await sendRequest(port, "/metrics")).status).toBe(503);
    expect((await sendRequest(port, "/")).status).toBe(200);
    daemon.child.kill("SIGCONT");
  });
});

it("serve shows the same pages without a collecting daemon, and stops on SIGTERM", async () => {
  const { daemon, directory } = await begin({ HTTP_PORT: "" });
  daemon.child.kill("SIGTERM");
  await daemon.finished;
  expect(timesListening(daemon)).toBe(0);
  const served = start(["serve"], directory, { HTTP_PORT: "0" });
  await listening(served);
  const port = portOf(served);
  expect((await sendRequest(port, "/")).status).toBe(200);
  const { status, body } = await sendRequest(port, "/healthz");
  expect([status, JSON.parse(body)]).toEqual([503, expect.objectContaining({ daemon: "nobody collects" })]);
  const second = await start(["serve"], directory, { HTTP_PORT: String(port) }).finished;
  expect([second.code, second.stderr]).toEqual([78, expect.stringContaining(`port ${port} of 127.0.0.1 is in use`)]);
  const off = await start(["serve"], directory, { HTTP_PORT: "" }).finished;
  expect([off.code, off.stderr]).toEqual([78, expect.stringContaining("HTTP_PORT is empty")]);
  served.child.kill("SIGTERM");
  expect((await served.finished).code).toBe(0);
});
