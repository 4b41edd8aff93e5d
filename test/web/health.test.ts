import { mkdirSync } from "node:fs";
import { expect, it } from "vitest";
import { snapshotDatasetNamed } from "../../src/datasets/index.ts";
import { lockFile } from "../../src/store/sqlite/lock.ts";
import { coins, collect, good, minute, start } from "../store/kit.ts";
import { sendRequest } from "../support/http.ts";
import { idle, startSite } from "./site.ts";

const spotAssets = snapshotDatasetNamed("spot-assets");

it("responds with 200 until the last complete run is more than two periods old, then with 503 and the dataset", async () => {
  let now = start + 2 * minute;
  const { port, store } = await startSite({ site: { now: () => now } });
  await collect(store, spotAssets, start, { snapshots: [good(coins(1), start)] });
  expect(await sendRequest(port, "/healthz")).toMatchObject({
    status: 200,
    body: '{"status":"ok","daemon":"ok","stale":[]}',
  });
  now += 1;
  // A result is reused for a second.
  await new Promise((resolve) => setTimeout(resolve, 1050));
  const { status, body } = await sendRequest(port, "/healthz");
  expect([status, JSON.parse(body)]).toEqual([
    503,
    {
      status: "stale",
      daemon: "ok",
      stale: [
        {
          account: "main",
          dataset: "spot-assets",
          since: "2026-11-01T00:02:00.000Z",
          lastOk: "2026-11-01T00:00:00.000Z",
        },
      ],
    },
  ]);
});

it("responds with 503 if the daemon does not answer or is not running, even while the data is fresh", async () => {
  const silent = { ...idle, ping: () => Promise.reject(new Error("no answer")) };
  const [stuck, stopped] = [await startSite({ site: { daemon: silent } }), await startSite({ site: { daemon: null } })];
  for (const { store } of [stuck, stopped])
    await collect(store, spotAssets, start, { snapshots: [good(coins(1), start)] });
  expect(await sendRequest(stuck.port, "/healthz")).toMatchObject({
    status: 503,
    body: '{"status":"unavailable","daemon":"does not answer","stale":[]}',
  });
  expect(await sendRequest(stopped.port, "/healthz")).toMatchObject({
    status: 503,
    body: '{"status":"unavailable","daemon":"nobody collects","stale":[]}',
  });
});

it("decides by freshness alone when this user may not read the lock", async () => {
  const { port, store } = await startSite({ site: { daemon: null } });
  await collect(store, spotAssets, start, { snapshots: [good(coins(1), start)] });
  mkdirSync(lockFile(store.path));
  expect(await sendRequest(port, "/healthz")).toMatchObject({
    status: 200,
    body: '{"status":"ok","daemon":"unknown","stale":[]}',
  });
});

it("responds with 503 and the reason while the daemon cannot collect", async () => {
  const waiting = { ...idle, ping: async () => "nothing is due: the exchange contradicts this machine's clock" };
  const { port, store } = await startSite({ site: { daemon: waiting } });
  await collect(store, spotAssets, start, { snapshots: [good(coins(1), start)] });
  const { status, body } = await sendRequest(port, "/healthz");
  expect([status, JSON.parse(body)]).toEqual([
    503,
    {
      status: "unavailable",
      daemon: "waits",
      stale: [],
      problem: "nothing is due: the exchange contradicts this machine's clock",
    },
  ]);
});

it("serves the daemon's metrics for Prometheus, and 503 without a daemon", async () => {
  const { port } = await startSite();
  const { status, headers, body } = await sendRequest(port, "/metrics");
  expect([status, headers["content-type"], body]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
    "bitget_collector_up 1\n",
  ]);
  const served = await startSite({ site: { daemon: null } });
  expect((await sendRequest(served.port, "/metrics")).status).toBe(503);
});
