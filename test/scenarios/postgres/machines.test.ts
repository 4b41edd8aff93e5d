/** The program with the simulated exchange and its history in PostgreSQL. */
import { existsSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { rankOf } from "../../../src/store/postgres/recorder/rank.ts";
import { connected, describePostgres, newHistory } from "../../store/postgres/kit.ts";
import { startExchange } from "../../support/exchange.ts";
import { temporaryFolder } from "../../support/files.ts";
import { start as begin, run } from "../../support/program.ts";
import { classic, credentials, everyModelled, unified } from "../../support/settings.ts";
import { seconds } from "../../support/wait.ts";

/** A connection of a machine to the exchange. Once it is cut, it is refused. */
async function startLine(exchange: string): Promise<{ url: string; cut(): void }> {
  const sockets = new Set<Socket>();
  const line = createServer((socket) => {
    const onward = connect(Number(new URL(exchange).port), "127.0.0.1");
    for (const one of [socket, onward]) {
      sockets.add(one);
      one.on("error", () => {});
    }
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    line.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(cut);
  return { url: `http://127.0.0.1:${(line.address() as AddressInfo).port}`, cut };
}

describePostgres("with a history in PostgreSQL", () => {
  it("`collect` records every dataset, and `db verify` finds nothing wrong in a mirror of it", async () => {
    const exchange = await startExchange({ accounts: [classic, unified] });
    onTestFinished(() => exchange.close());
    const folder = temporaryFolder();
    const env = {
      DATABASE_URL: await newHistory(),
      BITGET_BASE_URL: exchange.url,
      BITGET_ACCOUNTS: "main,hedge",
      WORKER_NAME: "desk-1",
      ...credentials(classic),
      ...credentials(unified, "BITGET_HEDGE"),
    };
    const first = await run(["collect"], folder, env);
    expect([first.code, first.stderr]).toEqual([0, expect.not.stringContaining('"level":50')]);
    expect((await run(["collect", "spot-assets"], folder, env)).code).toBe(0);
    const verified = await run(["db", "verify"], folder, env);
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringMatching(/chain/)]);
    const runs = await run(
      [
        "sql",
        "select account, dataset, state, worker, rows > 0 as has_rows from runs where dataset = 'spot-assets'",
        "--format",
        "json",
      ],
      folder,
      env,
    );
    const worker = expect.stringMatching(/^desk-1\/\d+$/);
    const stored = { dataset: "spot-assets", state: "ok", worker, has_rows: 1 };
    expect(JSON.parse(runs.stdout)).toEqual(
      expect.arrayContaining([
        { account: "main", ...stored },
        { account: "hedge", ...stored },
      ]),
    );
    // Raw responses belong to a database file.
    expect(existsSync(join(folder, "data/collector.db"))).toBe(false);
  });

  it("two `start` share the slots, and one takes over from the other that is killed; a third of the same name, or with other settings, is refused", async () => {
    const exchange = await startExchange({ accounts: [classic, unified] });
    onTestFinished(() => exchange.close());
    const url = await newHistory();
    const env = (name: string, more: Record<string, string> = {}) => ({
      DATABASE_URL: url,
      BITGET_BASE_URL: exchange.url,
      BITGET_ACCOUNTS: "main,hedge",
      WORKER_NAME: name,
      ...everyModelled("*/4 * * * * *"),
      SCHEDULE_REPORTS: "",
      ...credentials(classic),
      ...credentials(unified, "BITGET_HEDGE"),
      ...more,
    });
    const folder = temporaryFolder();
    const one = begin(["start"], folder, env("one"));
    await one.printed("the next slot is");
    const two = begin(["start"], folder, env("two"));
    await two.printed("the next slot is");
    const [same, other, demo] = await Promise.all([
      run(["start"], folder, env("two")),
      run(["start"], folder, env("three", { SCHEDULE_PRICES: "* * * * *" })),
      run(["start"], folder, env("three", { BITGET_DEMO_TRADING: "true" })),
    ]);
    expect([same.code, same.stderr]).toEqual([75, expect.stringContaining("A process named two")]);
    expect([other.code, other.stderr]).toEqual([78, expect.stringContaining("SCHEDULE_PRICES=* * * * *")]);
    expect([demo.code, demo.stderr]).toEqual([78, expect.stringContaining("BITGET_DEMO_TRADING=true (there false)")]);
    const postgres = await connected(url);
    const found = async (query: string) => (await postgres.query(query)).length > 0;
    const ended = (worker: string, account: string) =>
      found(`select 1 from runs where worker = '${worker}' and account = '${account}' and state = 'ok'`);
    const names = ["main", "hedge", "public"];
    const accountOf = async (worker: string) => {
      for (const name of names) if (await ended(worker, name)) return name;
      return null;
    };
    while (!(await accountOf("one")) || !(await accountOf("two"))) await seconds(0.1);
    // The equity of an account needs the prices that the other process stores.
    while (!(await found("select 1 from equity_history where complete = 1"))) await seconds(0.1);
    one.child.kill("SIGKILL");
    for (const name of names) while (!(await ended("two", name))) await seconds(0.1);
    two.child.kill("SIGTERM");
    expect((await two.finished).code).toBe(0);
    expect(await postgres.query("select worker from workers")).toEqual([{ worker: "one" }]);
    expect(await found("select 1 from runs where worker = 'two' and state = 'running'")).toBe(false);
    expect((await run(["db", "verify"], folder, env("one"))).code).toBe(0);
  });

  it("a machine that is cut off from the exchange lets another one run its slots, at their time and not late", async () => {
    const exchange = await startExchange({ accounts: [classic] });
    onTestFinished(() => exchange.close());
    const line = await startLine(exchange.url);
    const url = await newHistory();
    const workers = ["one", "two"].map((name) => ({ name, isPaused: false }));
    workers.sort((a, b) => rankOf(a, "main", workers) - rankOf(b, "main", workers));
    const [first = "", second = ""] = workers.map(({ name }) => name);
    const folder = temporaryFolder();
    const machine = async (name: string, exchangeUrl: string) => {
      const started = begin(["start"], folder, {
        ...{ DATABASE_URL: url, BITGET_BASE_URL: exchangeUrl, WORKER_NAME: name, SCHEDULE_REPORTS: "" },
        ...everyModelled("*/4 * * * * *"),
        ...credentials(classic),
      });
      await started.printed("the next slot is");
      return started;
    };
    const machines = [await machine(first, line.url), await machine(second, exchange.url)];
    const postgres = await connected(url);
    const found = async (query: string) => (await postgres.query(query)).length > 0;
    const runs = `select 1 from runs where account = 'main' and state = 'ok' and cause is null and worker`;
    while (!(await found(`${runs} = '${first}'`))) await seconds(0.1);
    // Two processes that start together may check the same key in one second, which is one request too many.
    const { limitViolations } = exchange.counts;
    line.cut();
    const isPaused = `select 1 from workers where worker = '${first}' and paused_until is not null`;
    while (!(await found(isPaused))) await seconds(0.1);
    while (!(await found(`${runs} = '${second}'`))) await seconds(0.1);
    for (const { child } of machines) child.kill("SIGTERM");
    await Promise.all(machines.map(({ finished }) => finished));
    // The reason of each run that failed is in the run ledger.
    const causes = await postgres.query(
      `select distinct cause from runs where worker = '${first}' and account = 'main' and state <> 'ok' order by 1`,
    );
    expect(causes).toEqual([{ cause: "network" }]);
    expect(exchange.counts.limitViolations).toBe(limitViolations);
  });
});
