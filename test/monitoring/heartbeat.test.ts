import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { startExchange } from "../support/exchange.ts";
import { temporaryFolder } from "../support/files.ts";
import { start } from "../support/program.ts";
import { classic, credentials, everyDataset } from "../support/settings.ts";
import { seconds, until } from "../support/wait.ts";
import { createWorld } from "../support/world.ts";

const token = "0b6f2a55-7a6e-4a59-8f6e-7f1f3a1c9d20";

/** Whoever is called: what was asked of it, and with which status it answers from now on (null: not at all). */
async function listener(path = `/${token}`) {
  const calls: string[] = [];
  const statuses: (number | null)[] = [];
  const server: Server = createServer((request, response) => {
    calls.push(`${request.method} ${request.url}`);
    const status = statuses.shift();
    if (status !== null) response.writeHead(status ?? 200, status === 302 ? { location: `/elsewhere` } : {}).end("OK");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { calls, statuses, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}` };
}

/** Two datasets, a slot a minute each; `at` is over when the calls are. */
async function called(settings: Record<string, string> = {}, query = "", path = `/${token}`) {
  const { calls, statuses, url } = await listener(path);
  const world = await createWorld("2026-03-01T12:00:30Z", {
    SCHEDULE_SPOT_ASSETS: "* * * * *",
    SCHEDULE_POSITIONS: "* * * * *",
    HEARTBEAT_URL: url + query,
    ...settings,
  });
  const at = async (time: string, count: number) => {
    await world.at(`2026-03-01T${time}Z`);
    await until(() => calls.length >= count);
  };
  return { world, calls, statuses, at };
}

const break_ = { path: "/api/v2/mix/position", code: "40014", times: Number.POSITIVE_INFINITY };

it("is requested once for each complete cycle, and at /fail after a failure, with its query", async () => {
  const { world, calls, at } = await called({}, "/?rid=7");
  await at("12:01:00", 1);
  world.exchange.injectFault(break_);
  await at("12:02:00", 2);
  world.exchange.clearFaults();
  await at("12:03:00", 3);
  expect(calls).toEqual([`GET /${token}/?rid=7`, `GET /${token}/fail?rid=7`, `GET /${token}/?rid=7`]);
});

it.each([
  ["?status=up&msg=OK&ping=", "", "?status=down&msg=a+run+was+not+complete&ping="],
  ["", "", "?status=down"],
  ["?host=a&state=complete", "/p", "?host=a&state=fail"],
])("reports a failure in the query of an address that has the status there: %s", async (query, before, failed) => {
  const path = before === "" ? `/api/push/${token}` : `${before}/${token}`;
  const { world, calls, at } = await called({}, query, path);
  await at("12:01:00", 1);
  world.exchange.injectFault(break_);
  await at("12:02:00", 2);
  world.exchange.clearFaults();
  await at("12:03:00", 3);
  expect(calls).toEqual([`GET ${path}${query}`, `GET ${path}${failed}`, `GET ${path}${query}`]);
});

it("waits for the last slot of every dataset, also of one with a long period", async () => {
  const { world, calls, at } = await called({ SCHEDULE_POSITIONS: "*/3 * * * *" });
  await at("12:01:00", 0);
  await at("12:02:00", 0);
  await at("12:03:00", 1);
  world.exchange.injectFault(break_);
  await at("12:06:00", 2);
  await at("12:07:00", 2);
  await seconds(0.2);
  expect(calls).toEqual([`GET /${token}`, `GET /${token}/fail`]);
});

it("reads the status of all datasets a few times per cycle, not after each run", async () => {
  const names = Array.from({ length: 20 }, (_, number) => `account${number}`);
  const accounts = names.map((name) => ({ ...classic, name, key: `${classic.key}${name}` }));
  const { url, calls } = await listener();
  const settings = {
    BITGET_ACCOUNTS: names.join(","),
    ...Object.assign({}, ...accounts.map((account) => credentials(account, `BITGET_${account.name.toUpperCase()}`))),
    SCHEDULE_SPOT_ASSETS: "0 * * * * *",
    SCHEDULE_FUNDING_ASSETS: "0 * * * * *",
    HEARTBEAT_URL: url,
  };
  const world = await createWorld("2026-03-01T12:00:30Z", settings, { accounts });
  const { store } = world.app;
  const { freshness } = store;
  let readings = 0;
  store.freshness = (now) => {
    readings += 1;
    return freshness(now);
  };

  await world.at("2026-03-01T12:01:00Z");
  await until(() => calls.length > 0);

  expect(world.rows("select count(*) as runs from runs where state = 'ok'")).toEqual([{ runs: 40 }]);
  expect([calls.length, readings]).toEqual([1, 2]);
});

it("continues after a restart if no run is missing in the run ledger", async () => {
  const { world, calls, at } = await called({
    SCHEDULE_POSITIONS: "*/30 * * * *",
    SCHEDULE_SPOT_ASSETS: "*/5 * * * *",
  });
  await at("12:30:00", 1);
  await world.restart();
  await at("12:35:00", 2);
  expect(calls).toEqual([`GET /${token}`, `GET /${token}`]);
});

it.each([503, 302])("is requested once more after a response of %d, and redirects are not followed", async (status) => {
  const { calls, statuses, at } = await called();
  statuses.push(status);
  await at("12:01:00", 2);
  expect(calls).toEqual([`GET /${token}`, `GET /${token}`]);
});

it("does not delay collecting when it does not respond", async () => {
  const { world, calls, statuses, at } = await called();
  statuses.push(null);
  await at("12:01:00", 1);
  await at("12:02:00", 1);
  await at("12:03:00", 1);
  expect(world.rows("select distinct state from runs")).toEqual([{ state: "ok" }]);
  expect(calls).toEqual([`GET /${token}`]);
});

it("is requested by the daemon, which never logs the address; a failure and its end are logged", async () => {
  const exchange = await startExchange({ accounts: [classic] });
  onTestFinished(() => exchange.close());
  const { calls, statuses, url } = await listener();
  const daemon = start(["start"], temporaryFolder(), {
    ...credentials(classic),
    ...everyDataset("*/2 * * * * *"),
    BITGET_BASE_URL: exchange.url,
    HEARTBEAT_URL: url,
    LOG_LEVEL: "debug",
  });
  await until(() => calls.length >= 1);
  statuses.push(404, 404);
  await daemon.printed("the request to HEARTBEAT_URL failed (HTTP 404)");
  await daemon.printed("HEARTBEAT_URL responds again");
  daemon.child.kill("SIGTERM");
  const { stderr } = await daemon.finished;
  // A run may fail on a machine that is busy for longer than a period.
  expect(new Set(calls.map((call) => call.replace(/\/fail$/, "")))).toEqual(new Set([`GET /${token}`]));
  expect(stderr).not.toContain(token);
});
