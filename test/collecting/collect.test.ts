/** The log of a run about the fields of its responses, and the record of the two clocks. */
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { collect } from "../../src/collecting/collect.ts";
import { datasets } from "../../src/datasets/index.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import type { Fault, SimulatedAccount } from "../../src/simulator/simulator.ts";
import { withHistory } from "../../src/store/read/open-history.ts";
import { verify } from "../../src/store/verify/verify.ts";
import { classic, credentials, everyDataset, unified } from "../support/settings.ts";
import { until } from "../support/wait.ts";
import { createWorld, type World } from "../support/world.ts";

const spot = "/api/v2/spot/account/assets";

it.each([
  ["v1", classic],
  ["v2", classic],
  ["v3", unified],
] as [string, SimulatedAccount][])(
  "the responses of %s have no unknown and no missing fields",
  async (api, account) => {
    const settings = { ...credentials(account), ...everyDataset("* * * * *"), BITGET_API_VERSION: api };
    const world = await createWorld("2026-10-20T10:00:30Z", settings, { accounts: [account], v1: api === "v1" });
    for (const slot of ["2026-10-20T10:01:00Z", "2026-10-20T18:02:00Z"]) await world.at(slot);
    expect(world.rows("select count(*) as n from snapshots where state = 'failed'")).toEqual([{ n: 0 }]);
    expect([...world.app.deps.reportedFields]).toEqual([]);
  },
);

it("each field is named once, and no more than 200 of them", async () => {
  const world = await createWorld("2026-10-20T10:00:30Z", { SCHEDULE_SPOT_ASSETS: "* * * * *" });
  const answered = (change: (row: Record<string, unknown>, at: number) => object) => (envelope: unknown) => {
    const { data, ...rest } = envelope as { data: Record<string, unknown>[] };
    return { ...rest, data: data.map(change) };
  };
  world.exchange.injectFault({ path: spot, edit: answered(({ frozen: _left, ...rest }) => rest), times: 2 });
  for (const slot of ["2026-10-20T10:01:00Z", "2026-10-20T10:02:00Z"]) await world.at(slot);
  expect([...world.app.deps.reportedFields]).toEqual([
    "the exchange omits a documented field: spot-assets.frozen; it is unknown",
  ]);
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`field${n}`, "1"]));
  world.exchange.injectFault({ path: spot, edit: answered((row) => ({ ...row, ...many })) });
  await world.at("2026-10-20T10:03:00Z");
  expect(world.app.deps.reportedFields.size).toBe(200);
  expect(world.rows("select state from runs order by scheduled_for")).toEqual(Array(3).fill({ state: "ok" }));
});

it("each run records the difference of the two clocks, also if no request for the time was needed", async () => {
  const world = await createWorld("2026-10-20T10:00:30Z", { SCHEDULE_SPOT_ASSETS: "* * * * *" });
  await world.at("2026-10-20T10:01:00Z");
  world.exchange.clockSkewMs = 2000;
  await world.at("2026-10-20T10:02:00Z");
  world.exchange.injectFault({ path: spot, status: 400, times: Number.POSITIVE_INFINITY });
  await world.at("2026-10-20T10:03:00Z");
  // The answers take some real milliseconds.
  expect(world.rows("select state, round(skew_ms / 500.0) as halves from runs order by scheduled_for")).toEqual([
    { state: "ok", halves: expect.closeTo(0) },
    { state: "ok", halves: -4 },
    { state: "failed", halves: null },
  ]);
});

type Answer = { status?: number; body: object } | "reset" | "hang";

const refusal = (code: string): Answer => ({ status: 400, body: { code, msg: "no", data: null } });
const modeOf = (accountMode: string): Answer => ({ body: { code: "00000", msg: "success", data: { accountMode } } });

/** One product line is refused as if the account had another mode, and the question for the mode is answered like this. */
async function refusedLine(mode: Answer) {
  const world = await createWorld("2026-10-20T10:00:30Z", { SCHEDULE_POSITIONS: "* * * * *" });
  await world.at("2026-10-20T10:01:00Z");
  let askedForMode = 0;
  // In front of the simulated exchange, which turns a classic account away from v3 before any fault.
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", world.exchange.url);
    const isMode = pathname === "/api/v3/account/settings";
    if (isMode) askedForMode += 1;
    const answer = isMode
      ? mode
      : pathname.startsWith("/api/v3/position/")
        ? refusal("40014")
        : searchParams.get("productType") === "COIN-FUTURES"
          ? refusal("40731")
          : null;
    if (answer === null) {
      const headers = { ...request.headers, host: new URL(world.exchange.url).host };
      get(`${world.exchange.url}${request.url}`, { headers }, (original) => {
        response.writeHead(original.statusCode ?? 500, original.headers);
        original.pipe(response);
      });
    } else if (answer === "reset") request.socket.destroy();
    else if (answer !== "hang") {
      response.writeHead(answer.status ?? 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer.body));
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  await world.restart({
    SCHEDULE_POSITIONS: "* * * * *",
    RUN_DEADLINE_SECONDS: "20",
    BITGET_BASE_URL: `http://127.0.0.1:${port}`,
  });
  world.clock.advanceTo(Date.parse("2026-10-20T10:02:00Z"));
  world.scheduler.tick();
  await until(() => askedForMode > 0);
  return world;
}

const linesOf = (world: World) =>
  world.rows(
    `select product_type as line, n.state, error_code as code from snapshots n join runs using (run_id)
     where scheduled_for = '2026-10-20T10:02:00.000Z' order by product_type`,
  );

const threeOfFour = [
  { line: "cmcbl", state: "ok", code: null },
  { line: "dmcbl", state: "failed", code: "40731" },
  { line: "sumcbl", state: "ok", code: null },
  { line: "umcbl", state: "ok", code: null },
];

describe("good responses together with a refusal that may mean another account mode", () => {
  it.each([
    ["is refused", refusal("40014")],
    ["has no answer", "reset"],
    ["says that the account is being moved", modeOf("switching")],
  ] as [string, Answer][])("are kept where the question for the mode %s", async (_, mode) => {
    const world = await refusedLine(mode);
    await world.scheduler.idle();
    expect(linesOf(world)).toEqual(threeOfFour);
    expect(world.rows("select state from runs order by scheduled_for")).toEqual([
      { state: "ok" },
      { state: "partial" },
    ]);
  });

  it("are kept if the deadline of the run passes before the mode is known", async () => {
    const world = await refusedLine("hang");
    world.clock.advanceTo(Date.parse("2026-10-20T10:02:30Z"));
    await world.scheduler.idle();
    expect(linesOf(world)).toEqual(threeOfFour);
  });

  it("are kept if the account has another mode, and its other API version does not respond", async () => {
    const world = await refusedLine(modeOf("unified"));
    await world.scheduler.idle();
    expect(linesOf(world)).toEqual(threeOfFour);
  });
});

describe("a manual run in the millisecond of a slot", () => {
  const slot = Date.parse("2026-10-20T10:02:00Z");

  async function collected(fault: Fault | null): Promise<World> {
    const world = await createWorld("2026-10-20T10:00:30Z", { SCHEDULE_SPOT_ASSETS: "* * * * *" });
    await world.at("2026-10-20T10:01:00Z");
    await world.scheduler.stop();
    world.clock.advanceTo(slot);
    if (fault) world.exchange.injectFault(fault);
    const [session] = world.app.sessions;
    if (session) await collect({ dataset: spotAssets, session, slot, trigger: "demand" }, world.app.deps);
    return world;
  }

  const due = "select scheduled_for_ms % 1000 = 0 as due, state from runs order by scheduled_for_ms";

  it("does not count as the run of the slot: the slot is run later, and the database verifies", async () => {
    const world = await collected(null);
    expect((await verify(world.path, datasets)).problems).toEqual([]);
    await world.restart();
    await world.at(slot + 5000);
    expect(world.rows(due)).toEqual([
      { due: 1, state: "ok" },
      { due: 1, state: "ok" },
      { due: 0, state: "ok" },
    ]);
    expect((await verify(world.path, datasets)).problems).toEqual([]);
  });

  it("that fails causes no gap and does not reduce coverage", async () => {
    const world = await collected({ path: spot, code: "40014", times: Number.POSITIVE_INFINITY });
    expect(world.rows("select * from gaps")).toEqual([]);
    expect(withHistory(world.path, (history) => history.status(slot + 5000))[0]?.coverage.day).toBe(1);
  });
});
