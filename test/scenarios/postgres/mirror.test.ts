/** Commands with DATABASE_URL=postgres://…, in the real program. */
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { loadCommands } from "../../../src/commands/index.ts";
import { prepareMirror } from "../../../src/commands/shared/mirror.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { prepareSchema } from "../../../src/store/postgres/migrations.ts";
import { canTrace, underStrace } from "../../faults/syscalls.ts";
import { collect, good, item, minute, query, start, storeAt } from "../../store/kit.ts";
import { positions, spotAssets } from "../../store/minutes.ts";
import { contentsOf, fill } from "../../store/postgres/fill.ts";
import { connected, describePostgres, newDatabase, newHistory } from "../../store/postgres/kit.ts";
import { startExchange } from "../../support/exchange.ts";
import { temporaryFolder } from "../../support/files.ts";
import { fetchOnce } from "../../support/http.ts";
import { runInProcess } from "../../support/in-process.ts";
import { findPostgres, Server } from "../../support/postgres.ts";
import { start as begin, launch, run } from "../../support/program.ts";
import { classic, credentials } from "../../support/settings.ts";
import { until } from "../../support/wait.ts";

/** Records some minutes of coins and a position into `name` from minute `from` on. */
async function record(folder: string, from: number, minutes: number): Promise<string> {
  const path = join(folder, "original.db");
  const store = await storeAt(path);
  if (from === 0) await store.setSchedule("main", "spot-assets", "* * * * *", start - minute);
  for (let at = start + from * minute; at < start + (from + minutes) * minute; at += minute) {
    const coins = ["BTC", "ETH"].map((coin) => item(spotAssets, { coin, available: "1.50", frozen: "-0" }));
    await collect(store, spotAssets, at, { snapshots: [good(coins, at)] });
    const held = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: "2" };
    await collect(store, positions, at, { snapshots: [good([item(positions, held)], at, "umcbl")] });
  }
  store.close();
  return path;
}

const ageLine = /^mirror of PostgreSQL at .*, schema bitget: state of \d{4}-\S+Z, \d+ s old$/m;

describePostgres("with a history in PostgreSQL", () => {
  it("every reading command prints what it prints for the file, after refreshing a mirror whose age it states", async () => {
    const [folder, url] = [temporaryFolder(), await newHistory()];
    const postgres = await connected(url);
    const original = await record(folder, 0, 3);
    await fill(postgres, original);
    const file = { DATABASE_URL: `file:${original}` };
    for (const args of [
      ["history", "positions", "--at", "2026-11-01T00:02:30Z", "--format", "json"],
      ["report", "balances", "--from", "2026-11-01"],
      ["sql", "select coin, frozen, snapshot_id from spot_assets_history order by snapshot_id, coin"],
      ["alerts", "list"],
      ["db", "verify"],
      ["status", "--json"],
    ]) {
      // Time passes, and a slot more may be due: the second is as the first, or as the third.
      const before = await run(args, folder, file);
      const found = await run(args, folder, { DATABASE_URL: url });
      const after = await run(args, folder, file);
      const printed = ({ code, stdout }: typeof found) => ({ args, code, stdout: stdout.replace(/"ageMs": \d+/g, "") });
      expect([printed(before), printed(after)]).toContainEqual(printed(found));
      expect(found.stderr).toMatch(ageLine);
    }
    await record(folder, 3, 1);
    await fill(postgres, original);
    expect((await run(["db", "backup", "copy.db"], folder, { DATABASE_URL: url })).code).toBe(0);
    expect(contentsOf(join(folder, "copy.db"))).toEqual(contentsOf(original));
    for (const env of [file, { DATABASE_URL: url }])
      expect(
        (await run(["export", "positions", "--out", `${Object.keys(env).length}${env === file}.csv`], folder, env))
          .code,
      ).toBe(0);
    expect(readFileSync(join(folder, "1false.csv"))).toEqual(readFileSync(join(folder, "1true.csv")));
  });

  it("works on the last mirror where PostgreSQL cannot be reached, and says how old it is", async () => {
    const bin = findPostgres() ?? "";
    const server = new Server(bin);
    onTestFinished(() => rmSync(server.folder, { recursive: true, force: true }));
    await server.start();
    const folder = temporaryFolder();
    const url = `postgres://postgres@${encodeURIComponent(server.folder)}/postgres`;
    const postgres = await connected(url);
    await prepareSchema(postgres, datasets);
    await fill(postgres, await record(folder, 0, 2));
    const env = { DATABASE_URL: url };
    const ask = ["sql", "--format", "json", "select count(*) as n from runs"];
    const before = await run(ask, folder, env);
    await server.stop();
    const after = await run(ask, folder, env);
    expect([after.code, after.stdout]).toEqual([0, before.stdout]);
    expect(after.stderr).toMatch(/cannot be reached \(ENOENT\).* This is the mirror of \d{4}-\S+Z, \d+ s old\.$/m);
    expect((await run(["status"], folder, env)).code).toBe(1);
    const elsewhere = await run(ask, temporaryFolder(), env);
    expect([elsewhere.code, elsewhere.stderr]).toEqual([74, expect.stringContaining("cannot be reached")]);
  });

  it("refuses every command that cannot work there, and says what to do", async () => {
    const [folder, url] = [temporaryFolder(), await newHistory()];
    const { code, stderr } = await run(["db", "prune"], folder, { DATABASE_URL: url });
    expect([code, stderr]).toEqual([78, expect.stringContaining("db prune does not work on a PostgreSQL database")]);
    const all = await loadCommands();
    const refused = all.filter(({ onPostgres }) => typeof onPostgres === "object");
    expect(refused.map(({ name }) => name)).toEqual(expect.arrayContaining(["db migrate", "db restore", "db replay"]));
    for (const command of refused)
      await expect(prepareMirror(command.name, command, { DATABASE_URL: url }, () => {})).rejects.toThrow(
        (command.onPostgres as { instead: string }).instead,
      );
    expect(existsSync(join(folder, "data"))).toBe(false);
  });

  it("db mirror writes a file that all commands read, follows, and resumes after being killed", async () => {
    const [folder, url] = [temporaryFolder(), await newHistory()];
    const postgres = await connected(url);
    const original = await record(folder, 0, 2);
    await fill(postgres, original);
    const copy = join(folder, "copy.db");
    const program = begin(["db", "mirror", "--out", "copy.db", "--follow"], folder, { DATABASE_URL: url });
    await until(() => existsSync(copy));
    await record(folder, 2, 1);
    await fill(postgres, original);
    const runs = (path: string) => query(path, "select count(*) as n from run where state = 'ok'")[0]?.n;
    await until(() => runs(copy) === 6);
    program.child.kill("SIGKILL");
    await program.finished;
    await record(folder, 3, 1);
    await fill(postgres, original);
    const { code, stdout } = await run(["db", "mirror", "--out", "copy.db"], folder, { DATABASE_URL: url });
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/copy\.db has the state of \S+; \d+ rows were copied\n$/),
    ]);
    expect(contentsOf(copy)).toEqual(contentsOf(original));
    expect((await run(["db", "verify"], folder, { DATABASE_URL: "file:./copy.db" })).stdout).toContain("OK, unaltered");
  });

  it("status --watch goes on refreshing the mirror, and check says whether there is a history", async () => {
    const [folder, url] = [temporaryFolder(), await newHistory()];
    const postgres = await connected(url);
    await fill(postgres, await record(folder, 0, 1));
    const watching = begin(["status", "--watch"], folder, { DATABASE_URL: url });
    await watching.printed("main");
    await fill(postgres, await record(folder, 1, 1));
    const [mirrored = ""] = readdirSync(join(folder, "data")).filter((name) => name.endsWith(".mirror.db"));
    await until(() => query(join(folder, "data", mirrored), "select count(*) as n from run")[0]?.n === 4);
    watching.child.kill("SIGTERM");
    expect((await watching.finished).code).toBe(0);

    const exchange = await startExchange({ accounts: [classic] });
    onTestFinished(() => exchange.close());
    const check = (at: string) =>
      runInProcess(["check"], folder, { DATABASE_URL: at, BITGET_BASE_URL: exchange.url, ...credentials(classic) });
    expect(await check(url)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^✓ database {3}.* is up to date$/m),
    });
    expect(await check(await newDatabase())).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^✓ database {3}.* has no history yet; the first start or collect creates it$/m),
    });
    const nowhere = `postgres://${encodeURIComponent(folder)}/nowhere`;
    expect(await check(nowhere)).toMatchObject({ code: 1, stdout: expect.stringContaining("cannot be reached") });
  });

  it("serve goes on refreshing the mirror, and is healthy by what it shows alone", async () => {
    const [folder, url] = [temporaryFolder(), await newHistory()];
    const postgres = await connected(url);
    await fill(postgres, await record(folder, 0, 1));
    await postgres.run("update schedule set until = $1", [start]);
    const serving = begin(["serve"], folder, { DATABASE_URL: url, HTTP_PORT: "0", HTTP_TOKEN: "a-token-of-the-test" });
    await serving.printed("the pages are at");
    const [address = ""] = /http:\S+/.exec(serving.output().stderr) ?? [];
    const health = await fetchOnce(new URL("/healthz", address), {
      headers: { authorization: "Bearer a-token-of-the-test" },
    });
    expect([health.status, await health.json()]).toEqual([200, { status: "ok", daemon: "unknown", stale: [] }]);
    await fill(postgres, await record(folder, 1, 1));
    const [mirrored = ""] = readdirSync(join(folder, "data")).filter((name) => name.endsWith(".mirror.db"));
    await until(() => query(join(folder, "data", mirrored), "select count(*) as n from run")[0]?.n === 4);
    serving.child.kill("SIGTERM");
    expect((await serving.finished).code).toBe(0);
  });

  it.runIf(canTrace)("is killed at any write, and the next pass has the rows of the history", async () => {
    const [folder, url] = [temporaryFolder(), await newHistory()];
    const postgres = await connected(url);
    const original = await record(folder, 0, 20);
    await fill(postgres, original);
    const mirrorUnder = (name: string, filter: string, out = "/dev/null") =>
      launch(
        ["db", "mirror", "--out", name],
        folder,
        { DATABASE_URL: url },
        underStrace(["trace=pwrite64", `inject=pwrite64:${filter}`], { out }),
      ).finished;
    const writes = async (name: string) => {
      expect((await mirrorUnder(name, "delay_exit=0", join(folder, "calls"))).code).toBe(0);
      return readFileSync(join(folder, "calls"), "utf8").split("pwrite64(").length - 1;
    };
    const first = await writes("counted.db");
    await run(["db", "mirror", "--out", "half.db"], folder, { DATABASE_URL: url });
    await record(folder, 20, 20);
    await fill(postgres, original);
    copyFileSync(join(folder, "half.db"), join(folder, "half-counted.db"));
    const second = await writes("half-counted.db");
    const kills = [first, second].flatMap((count, pass) => [0.1, 0.7].map((share) => [pass, Math.ceil(count * share)]));
    for (const [pass, write] of kills) {
      const name = `killed-${pass}-${write}.db`;
      if (pass === 1) copyFileSync(join(folder, "half.db"), join(folder, name));
      expect([name, (await mirrorUnder(name, `signal=KILL:when=${write}`)).code]).not.toEqual([name, 0]);
      // What a reader sees meanwhile is the state before or the one after, or nothing.
      if (pass === 1) expect([40, 80]).toContain(query(join(folder, name), "select count(*) as n from run")[0]?.n);
      else expect(existsSync(join(folder, name))).toBe(false);
      expect((await run(["db", "mirror", "--out", name], folder, { DATABASE_URL: url })).code).toBe(0);
      expect(contentsOf(join(folder, name))).toEqual(contentsOf(original));
    }
  });
});
