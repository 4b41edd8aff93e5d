/** `db ship`, and `start` with SHIP_DATABASE_URL, in the real program. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { datasets } from "../../../src/datasets/index.ts";
import type { Postgres } from "../../../src/store/postgres/connection.ts";
import { mirror } from "../../../src/store/postgres/copy/mirror.ts";
import { canTrace, underStrace } from "../../faults/syscalls.ts";
import { start as began, query, storeAt } from "../../store/kit.ts";
import { contentsOf } from "../../store/postgres/fill.ts";
import { hourOf } from "../../store/postgres/hours.ts";
import { connected, describePostgres, newDatabase, newHistory, urlOf } from "../../store/postgres/kit.ts";
import { temporaryPath } from "../../store/temporary.ts";
import { startExchange } from "../../support/exchange.ts";
import { temporaryFolder } from "../../support/files.ts";
import { fetchOnce } from "../../support/http.ts";
import { findPostgres, Server } from "../../support/postgres.ts";
import { launch, run, start } from "../../support/program.ts";
import { classic, credentials, everyDataset } from "../../support/settings.ts";
import { until } from "../../support/wait.ts";

/** Records hours of an account in a file, from hour `from` on. Returns its path. */
async function record(folder: string, from: number, hours: number): Promise<string> {
  const path = join(folder, "original.db");
  const store = await storeAt(path);
  if (from === 0) await store.setSchedule("main", "spot-assets", "0 * * * *", began - 1);
  for (let n = from; n < from + hours; n += 1) await hourOf(store, "main", n, n * 7 + 1);
  store.close();
  return path;
}

/** Returns the number of writes of the thread that talks to PostgreSQL: strace counts the calls of each thread. */
function writesOf(calls: string): number {
  const threads = calls.split("\n").map((line) => /^(\d+) +writev?\(/.exec(line)?.[1]);
  const main = /^(\d+) +writev?\(.*begin/m.exec(calls)?.[1];
  return threads.filter((thread) => thread !== undefined && thread === main).length;
}

async function expectCopy(postgres: Postgres, path: string): Promise<void> {
  const copy = temporaryPath();
  await mirror(postgres, copy, { datasets, now: () => began });
  expect(contentsOf(copy)).toEqual(contentsOf(path));
}

describePostgres("the copy in PostgreSQL", () => {
  it("is made and brought up to date by db ship, and status says how far it is behind", async () => {
    const [folder, url] = [temporaryFolder(), await newDatabase()];
    const path = await record(folder, 0, 2);
    const env = { DATABASE_URL: `file:${path}`, SHIP_DATABASE_URL: url };
    const made = await run(["db", "ship"], folder, env);
    expect([made.code, made.stderr, made.stdout]).toEqual([
      0,
      "",
      expect.stringMatching(/^the copy has the state of \S+; [1-9]\d* rows were written\n$/),
    ]);
    const postgres = await connected(url);
    await expectCopy(postgres, path);
    expect((await run(["status"], folder, env)).stdout).toMatch(
      /Copy in PostgreSQL at .*schema bitget: up to date\.$/m,
    );
    await record(folder, 2, 1);
    expect((await run(["status"], folder, env)).stdout).toMatch(
      /schema bitget: 2 links of the chain behind, for \d+ \w+\.$/m,
    );
    const json = JSON.parse((await run(["status", "--json"], folder, env)).stdout || "[]") as { ship: object }[];
    expect(json).toHaveLength(1);
    for (const one of json) expect(one.ship).toMatchObject({ linksBehind: 2, problem: null });
    expect((await run(["db", "ship"], folder, env)).stdout).toContain("rows were written");
    await expectCopy(postgres, path);
  });

  it("is refused without a URL, to a database in PostgreSQL, and with exit code 74 where the server is away", async () => {
    const folder = temporaryFolder();
    const path = await record(folder, 0, 1);
    const file = { DATABASE_URL: `file:${path}` };
    const missing = await run(["db", "ship"], folder, file);
    expect([missing.code, missing.stderr]).toEqual([78, expect.stringContaining("SHIP_DATABASE_URL is missing")]);
    const both = { DATABASE_URL: urlOf("one"), SHIP_DATABASE_URL: urlOf("two") };
    expect((await run(["db", "ship"], folder, both)).code).toBe(78);
    const away = { ...file, SHIP_DATABASE_URL: "postgres://me:a-long-password@127.0.0.1:1/desk" };
    const { code, stderr } = await run(["db", "ship"], folder, away);
    expect([code, stderr]).toEqual([74, expect.stringContaining("127.0.0.1:1/desk, schema bitget cannot be reached")]);
    expect(stderr).not.toContain("a-long-password");
    expect((await run(["status"], folder, away)).stdout).toMatch(/^Copy in PostgreSQL: .* cannot be reached/m);
  });

  it.runIf(canTrace)("is the state before or after a pass, whichever write the process is killed at", async () => {
    const folder = temporaryFolder();
    const [counted, url] = [await newHistory(), await newHistory()];
    const [other, postgres] = [await connected(counted), await connected(url)];
    const path = await record(folder, 0, 4);
    const ship = (to: string, filter: string, out = "/dev/null") => {
      const env = { DATABASE_URL: `file:${path}`, SHIP_DATABASE_URL: to };
      const filters = ["trace=write,writev", `inject=write,writev:${filter}`];
      return launch(["db", "ship"], folder, env, underStrace(filters, { out })).finished;
    };
    const links = async (of: Postgres) => (await of.query<{ link: number }>("select link from shipped"))[0]?.link ?? 0;
    const last = () => query(path, "select max(id) as id from link")[0]?.id;
    const ends = new Set<boolean>();
    for (const hours of [4, 3]) {
      expect((await ship(counted, "delay_exit=0", join(folder, "calls"))).code).toBe(0);
      expect(await links(other)).toBe(last());
      const writes = writesOf(readFileSync(join(folder, "calls"), "utf8"));
      const before = await links(postgres);
      for (const share of [0.5, 0.9]) {
        const { code } = await ship(url, `signal=KILL:when=${Math.ceil(writes * share)}`);
        ends.add(code === 0);
        if (code !== 0) expect([before, last()]).toContain(await links(postgres));
      }
      expect((await ship(url, "delay_exit=0")).code).toBe(0);
      await expectCopy(postgres, path);
      await record(folder, hours === 4 ? 4 : 7, 3);
    }
    expect(ends).toContain(false);
  });

  it("is kept by start, which collects while the server is away and then completes the copy", async () => {
    const server = new Server(findPostgres() ?? "");
    onTestFinished(() => rmSync(server.folder, { recursive: true, force: true }));
    await server.start();
    const simulator = await startExchange({ accounts: [classic] });
    onTestFinished(() => simulator.close());
    const [folder, url] = [temporaryFolder(), `postgres://postgres@${encodeURIComponent(server.folder)}/postgres`];
    const daemon = start(["start"], folder, {
      ...credentials(classic),
      ...everyDataset(""),
      BITGET_BASE_URL: simulator.url,
      SCHEDULE_SPOT_ASSETS: "* * * * * *",
      SHIP_DATABASE_URL: url,
      HTTP_PORT: "0",
    });
    await daemon.printed("the pages are at");
    const [address = ""] = /http:\/\/[^\s"]+/.exec(daemon.output().stderr) ?? [];
    const metric = async (name: string) => {
      const text = await (await fetchOnce(new URL("/metrics", address))).text();
      return new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1];
    };
    const path = join(folder, "data", "collector.db");
    const runs = () => Number(query(path, "select count(*) as n from run where state = 'ok'")[0]?.n);
    let rows = 0;
    void (async () => {
      while (rows === 0) rows = Number((await metric("bitget_ship_rows").catch(() => "0")) ?? 0);
    })();
    await until(() => rows > 0);
    expect(await metric("bitget_ship_up")).toBe("1");
    await server.stop();
    await daemon.printed("Collecting continues");
    const before = runs();
    await until(() => runs() > before + 1);
    expect(await metric("bitget_ship_up")).toBe("0");
    await server.start();
    await daemon.printed("has everything again");
    daemon.child.kill("SIGTERM");
    const { code, stderr } = await daemon.finished;
    expect([code, stderr.split("Collecting continues").length, stderr.split("has everything again").length]).toEqual([
      0, 2, 2,
    ]);
    expect((await run(["db", "ship"], folder, { SHIP_DATABASE_URL: url })).code).toBe(0);
    await expectCopy(await connected(url), path);
    await server.stop();
  });

  it("is read by the role of the guide, which may not write", async () => {
    const url = await newDatabase();
    const admin = await connected(url);
    const guide = readFileSync("docs/guides/postgresql.md", "utf8");
    const [, block = ""] = /```sql\n(create role[\s\S]*?)```/.exec(guide) ?? [];
    const [shipper, reader] = [`shipper_${process.pid}`, `reader_${process.pid}`];
    const statements = block
      .replaceAll("bitget_shipper", shipper)
      .replaceAll("bitget_reader", reader)
      .trim()
      .split(/;\n?/);
    for (const statement of statements.filter((one) => one !== "")) await admin.run(statement);
    onTestFinished(async () => {
      for (const role of [shipper, reader]) {
        await admin.run(`drop owned by ${role} cascade`);
        await admin.run(`drop role ${role}`);
      }
    });
    const database = new URL(url).pathname.slice(1);
    const folder = temporaryFolder();
    const path = await record(folder, 0, 2);
    const env = { DATABASE_URL: `file:${path}`, SHIP_DATABASE_URL: urlOf(database, shipper) };
    expect(await run(["db", "ship"], folder, env)).toMatchObject({ code: 0, stderr: "" });
    const reading = await connected(urlOf(database, reader));
    expect(await reading.query("select count(*) > 0 as found from bitget_typed.runs")).toEqual([{ found: true }]);
    expect(await reading.query("select count(*) > 0 as found from bitget.runs")).toEqual([{ found: true }]);
    await expect(reading.run("delete from bitget.run")).rejects.toThrow(/permission denied/);
    await expect(reading.run("create table bitget.mine (n int)")).rejects.toThrow(/permission denied/);
  });
});
