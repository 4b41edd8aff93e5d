import { expect, it, onTestFinished } from "vitest";
import { openClients, preflight } from "../../src/app.ts";
import { systemClock } from "../../src/core/clock.ts";
import { newTally } from "../../src/core/domain.ts";
import { createLog } from "../../src/core/log.ts";
import { endpointNamed } from "../../src/datasets/endpoints.ts";
import { loadConfig } from "../../src/settings/config.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { answer, refusal, send, startServer } from "../bitget/support.ts";
import { classic, credentials, unified } from "../support/settings.ts";
import { until } from "../support/wait.ts";
import { createWorld } from "../support/world.ts";

const both = {
  BITGET_ACCOUNTS: "main,hedge",
  ...credentials(unified, "BITGET_HEDGE"),
  ...credentials(classic, "BITGET_MAIN"),
};

it("keys of one user share one budget, so that the exchange refuses none of them", async () => {
  const keys = ["main", "copy", "tax"].map((name) => ({ ...classic, name, key: `${classic.key}${name}`, user: "one" }));
  const exchange = await startSimulator({ clock: systemClock, accounts: keys });
  onTestFinished(() => exchange.close());
  const config = loadConfig({
    BITGET_ACCOUNTS: keys.map(({ name }) => name).join(","),
    BITGET_BASE_URL: exchange.url,
    ...Object.assign({}, ...keys.map((key) => credentials(key, `BITGET_${key.name.toUpperCase()}`))),
  });
  const lines: string[] = [];
  const log = createLog({ level: "info", format: "json", secrets: [], write: (line) => lines.push(line) });
  const clients = openClients(config, null, systemClock, log);
  onTestFinished(() => clients.close());
  await preflight(clients);

  const tally = newTally();
  const options = { signal: new AbortController().signal, tally };
  const lineNames = ["USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES"];
  const asked = clients.sessions.flatMap(({ client }) =>
    lineNames.map((productType) => client.get(endpointNamed("v2/positions"), { productType }, options)),
  );
  await Promise.all(asked);

  expect([exchange.counts.limitViolations, tally]).toEqual([
    0,
    { requests: 9, retries: 0, rateLimited: 0, responses: 9 },
  ]);
  expect(lines.filter((line) => line.includes("share one request budget"))).toHaveLength(2);
  const budgets = clients.limiter.budget().filter(({ path }) => path === endpointNamed("v2/positions").path);
  expect(budgets.map(({ account }) => account)).toEqual(["main", "copy", "tax"]);
});

it("probes every account before the first slot, at most fifty at a time", async () => {
  const seen = new Set<unknown>();
  const held: (() => void)[] = [];
  let most = 0;
  const server = await startServer(({ headers }, response) => {
    const key = headers["access-key"];
    if (key === undefined) return send(response, 200, answer({ serverTime: String(Date.now()) }));
    seen.add(key);
    held.push(() => send(response, 400, refusal("40014")));
    most = Math.max(most, held.length);
    // The exchange responds only when fifty wait, or the last ones.
    if (held.length >= 50 || seen.size === 120) for (const respond of held.splice(0)) respond();
  });
  const names = Array.from({ length: 120 }, (_, number) => `sub${number}`);
  const keys = names.map((name) =>
    credentials({ ...classic, key: `${classic.key}${name}` }, `BITGET_${name.toUpperCase()}`),
  );
  const config = loadConfig({
    ...Object.assign({}, ...keys),
    BITGET_ACCOUNTS: names.join(),
    BITGET_API_VERSION: "v2",
    BITGET_BASE_URL: server.url,
    LOG_LEVEL: "silent",
  });
  const clients = openClients(config, null, systemClock);
  onTestFinished(() => clients.close());
  await preflight(clients);
  expect(names.filter((name) => !seen.has(`${classic.key}${name}`))).toEqual([]);
  expect(most).toBe(50);
});

const everyFive = { ...both, SCHEDULE_SPOT_ASSETS: "0 */5 * * * *" };

/** Each account's runs that were not missed: when, and what came of them. */
const runsOf = (account: string) =>
  `select substr(scheduled_for, 12, 5) || ' ' || state || coalesce(' ' || cause, '') as run from runs
   where account = '${account}' and state <> 'missed' order by scheduled_for`;

it("a key that gains write permission is no longer used, and used again when it is read-only", async () => {
  const world = await createWorld("2026-03-01T11:58:00Z", everyFive, { accounts: [classic, unified] });
  const refusal = () => world.app.sessions.find(({ name }) => name === "main")?.refusal() ?? null;
  await world.at("2026-03-01T12:00:00Z");
  world.exchange.permit("main", "trade");
  await world.at("2026-03-01T12:30:00Z");
  expect(refusal()).toBe(null);
  await world.at("2026-03-01T13:05:00Z");
  await until(() => refusal() !== null);
  await world.at("2026-03-01T13:10:00Z");
  world.exchange.permit("main", "read");
  await world.at("2026-03-01T14:10:00Z");
  await until(() => refusal() === null);
  await world.at("2026-03-01T14:15:00Z");

  const main = ["12:00 ok", "12:30 ok", "13:05 ok", "13:10 failed write-key", "14:10 failed write-key", "14:15 ok"];
  expect(world.rows(runsOf("main"))).toEqual(main.map((run) => ({ run })));
  const hedge = ["12:00 ok", "12:30 ok", "13:05 ok", "13:10 ok", "14:10 ok", "14:15 ok"];
  expect(world.rows(runsOf("hedge"))).toEqual(hedge.map((run) => ({ run })));
});

it("a key that cannot be checked again stays in use, and is checked again soon", async () => {
  const world = await createWorld("2026-03-01T11:58:00Z", everyFive, { accounts: [classic, unified] });
  const refusal = () => world.app.sessions.find(({ name }) => name === "main")?.refusal() ?? null;
  await world.at("2026-03-01T12:00:00Z");
  world.exchange.permit("main", "trade");
  world.exchange.injectFault({ path: "/api/v2/spot/account/info", code: "40037", times: 1 });
  await world.at("2026-03-01T13:05:00Z");
  await until(() => world.exchange.pendingFaults() === 0);
  await world.at("2026-03-01T13:15:00Z");
  await until(() => refusal() !== null);
  await world.at("2026-03-01T13:20:00Z");

  const runs = ["12:00 ok", "13:05 ok", "13:15 ok", "13:20 failed write-key"];
  expect(world.rows(runsOf("main"))).toEqual(runs.map((run) => ({ run })));
});
