/** `accounts retire` on a file and in PostgreSQL: what it ends, what it refuses, and that nothing of the history is lost. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { Secret } from "../../../src/core/domain.ts";
import { datasets } from "../../../src/datasets/index.ts";
import type { Simulator } from "../../../src/simulator/simulator.ts";
import { openRecorder } from "../../../src/store/postgres/recorder/recorder.ts";
import { lockDatabase } from "../../../src/store/sqlite/lock.ts";
import type { OpenedStore } from "../../../src/store/store.ts";
import { collect, good, item, minute, quiet, storeAt } from "../../store/kit.ts";
import { spotAssets } from "../../store/minutes.ts";
import { connected, describePostgres, newHistory } from "../../store/postgres/kit.ts";
import { startExchange } from "../../support/exchange.ts";
import { temporaryFolder } from "../../support/files.ts";
import { runInProcess } from "../../support/in-process.ts";
import { run as runProgram } from "../../support/program.ts";
import { classic, credentials, unified } from "../../support/settings.ts";

let exchange: Simulator;
beforeAll(async () => {
  exchange = await startExchange({ accounts: [classic] });
});
afterAll(() => exchange.close());

const now = Math.floor(Date.now() / minute) * minute;

/** Records a minute's schedule of two accounts that began five minutes ago, of which hedge ran the first slot only, and a sub-account of hedge. */
async function record(store: OpenedStore): Promise<void> {
  const begun = now - 5 * minute;
  for (const account of ["main", "hedge", "hedge/1001"])
    await store.setSchedule(account, "spot-assets", "* * * * *", begun - minute);
  const snapshots = [good([item(spotAssets, { coin: "BTC" })], begun)];
  await collect(store, spotAssets, begun, { snapshots }, "hedge");
}

interface History {
  run(...args: string[]): ReturnType<typeof runInProcess>;
  /** Runs `sql`, which starts a process of its own. */
  sql(statement: string): ReturnType<typeof runInProcess>;
  runWith(env: Record<string, string>, ...args: string[]): ReturnType<typeof runInProcess>;
}

function historyAt(DATABASE_URL: string): History {
  const folder = temporaryFolder();
  const runWith = (env: Record<string, string>, ...args: string[]) =>
    runInProcess(args, folder, { DATABASE_URL, BITGET_BASE_URL: exchange.url, ...env });
  return {
    runWith,
    run: (...args) => runWith({}, ...args),
    sql: (statement) => runProgram(["sql", statement, "--format", "csv"], folder, { DATABASE_URL }),
  };
}

async function newFile(): Promise<History & { path: string }> {
  const path = join(temporaryFolder(), "collector.db");
  const store = await storeAt(path);
  await record(store);
  store.close();
  return { path, ...historyAt(`file:${path}`) };
}

/** Opens the store of a process that has the keys of these accounts, until the test is over. */
async function openWorker(url: string, accounts: readonly string[]) {
  const registration = { name: "desk", version: "1.0.0", settings: {}, accounts, mains: accounts };
  const store = await openRecorder({
    ...{ url: new Secret(url), datasets, log: quiet, clock: systemClock, worker: "desk", leaseMs: minute },
    registration,
  });
  onTestFinished(() => store.close());
  return store;
}

async function newPostgres(): Promise<History & { url: string }> {
  const url = await newHistory();
  const store = await openWorker(url, []);
  await record(store);
  await store.leave();
  return { url, ...historyAt(url) };
}

/** Retires hedge, and checks what is stored afterwards. */
async function retires({ run, sql }: History): Promise<void> {
  const { code, stdout } = await run("accounts", "retire", "hedge", "--yes");
  expect([
    code,
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.replaceAll(/ {2,}/g, " | ")),
  ]).toEqual([
    0,
    [
      "account | dataset | schedule that ends | since (UTC)",
      expect.stringMatching(/^hedge \| spot-assets \| \* \* \* \* \* \| /),
      expect.stringMatching(/^hedge\/1001 \| spot-assets \| \* \* \* \* \* \| /),
      "hedge is retired: 2 schedules have ended.",
    ],
  ]);
  const status = JSON.parse((await run("status", "--json")).stdout) as { account: string }[];
  expect(status.map(({ account }) => account)).toEqual(["main"]);
  const runs = await sql("select state, cause from runs where account = 'hedge' order by scheduled_for");
  const [, first, ...rest] = runs.stdout.trimEnd().split("\r\n");
  expect(first).toBe("ok,");
  expect(rest.length).toBeGreaterThanOrEqual(4);
  expect([...new Set(rest)]).toEqual(["missed,not running"]);
  const verified = await run("db", "verify");
  expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining("OK, unaltered")]);
  expect(await run("accounts", "retire", "hedge")).toMatchObject({
    code: 0,
    stdout: "hedge has no schedule in force; there is nothing to end.\n",
  });
}

describe("in a file", () => {
  it("the schedules of an account and of its sub-accounts end, and each slot before has a row", async () => {
    await retires(await newFile());
  });

  it.each([
    ["an unknown account", ["hegde", "--yes"], {}, 64, /unknown account "hegde"; did you mean hedge\? accounts: /],
    ["no terminal to ask in", ["hedge"], {}, 64, /use --yes/],
    [
      "settings that have the account",
      ["hedge", "--yes"],
      { BITGET_ACCOUNTS: "main,hedge", ...credentials(classic), ...credentials(unified, "BITGET_HEDGE") },
      78,
      /the settings of this machine have hedge/,
    ],
    [
      "an exchange that cannot confirm the clock",
      ["hedge", "--yes"],
      { BITGET_BASE_URL: "http://127.0.0.1:9" },
      1,
      /no response/,
    ],
    ["no database", ["hedge", "--yes"], { DATABASE_URL: "file:./other.db" }, 78, /other\.db/],
  ])("%s: it refuses, and changes nothing", async (_, args, env, code, message) => {
    const history = await newFile();
    const refused = await history.runWith(env, "accounts", "retire", ...args);
    expect([refused.code, refused.stderr]).toEqual([code, expect.stringMatching(message)]);
    expect(JSON.parse((await history.run("status", "--json")).stdout)).toHaveLength(3);
  });

  it("while a collector has the database, it refuses", async () => {
    const { path, run } = await newFile();
    const lock = lockDatabase(path);
    onTestFinished(() => lock.release());
    expect((await run("accounts", "retire", "hedge", "--yes")).code).toBe(75);
  });
});

describePostgres("in PostgreSQL", () => {
  it("the schedules of an account and of its sub-accounts end, and each slot before has a row", async () => {
    await retires(await newPostgres());
  });

  it("it refuses while a live process has the key, and warns of one that is gone", async () => {
    const history = await newPostgres();
    const live = await openWorker(history.url, ["hedge"]);
    const refused = await history.run("accounts", "retire", "hedge", "--yes");
    expect([refused.code, refused.stderr]).toEqual([
      75,
      expect.stringContaining("The process desk is live and has the key of hedge."),
    ]);
    expect(await live.schedule("hedge", "spot-assets")).not.toBeNull();
    await live.leave();
    const postgres = await connected(history.url);
    await postgres.run(
      "insert into worker (name, seen_at, version, settings, accounts) values ('away', now_ms() - 7200000, '1', $1, 1)",
      [JSON.stringify({ settings: {}, accounts: ["hedge"] })],
    );
    expect(await history.run("accounts", "retire", "hedge", "--yes")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("away, last seen 2 h ago, had the key of hedge: when it starts again"),
    });
  });

  it("no process can start with the key while the schedules end", async () => {
    const { url } = await newPostgres();
    const store = await openWorker(url, []);
    const order: string[] = [];
    let starting: Promise<unknown> = Promise.resolve();
    await store.withoutHolders("hedge", async () => {
      starting = openRecorder({
        ...{ url: new Secret(url), datasets, log: quiet, clock: systemClock, worker: "late", leaseMs: minute },
        registration: { name: "late", version: "1", settings: {}, accounts: ["hedge"], mains: [] },
      }).then((opened) => {
        order.push("started");
        opened.close();
      });
      await store.setSchedule("hedge", "spot-assets", null, Date.now());
      order.push("ended");
    });
    await starting;
    expect(order).toEqual(["ended", "started"]);
  });
});
