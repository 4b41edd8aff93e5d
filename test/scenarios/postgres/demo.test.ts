/** `demo --postgres` as the guide describes it: two collectors, a dashboard, and one collector that is killed. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describePostgres } from "../../store/postgres/kit.ts";
import { temporaryFolder } from "../../support/files.ts";
import { fetchOnce } from "../../support/http.ts";
import { start as begin, run } from "../../support/program.ts";
import { seconds, until } from "../../support/wait.ts";

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describePostgres("demo --postgres", () => {
  it("goes on without a collector that is killed, loses only its runs in flight, and leaves nothing behind", async () => {
    const folder = temporaryFolder();
    const demo = begin(["demo", "--postgres"], folder, { HTTP_PORT: "0" });
    await demo.printed("Ctrl-C stops everything");
    const { stdout } = demo.output();
    const [urlFile = ""] = /(?<=DATABASE_URL_FILE=)\S+/.exec(stdout) ?? [];
    const [question = ""] = /(?<=bitget-collector sql ").*(?=")/.exec(stdout) ?? [];
    const [page = ""] = /http:\S+collection/.exec(stdout) ?? [];
    const pids = [...stdout.matchAll(/process (\d+)/g)].map((match) => Number(match[1]));
    const env = { DATABASE_URL_FILE: urlFile };
    const ask = async (sql: string): Promise<Record<string, unknown>[]> => {
      const found = await run(["sql", "--format", "json", sql], folder, env);
      expect([found.code, found.stderr]).toEqual([0, expect.stringContaining("mirror of PostgreSQL")]);
      return JSON.parse(found.stdout);
    };
    const workersOf = async (sql: string) => new Set((await ask(sql)).map(({ worker }) => worker));
    while ((await workersOf("select worker from runs where state = 'ok'")).size < 2) await seconds(0.2);

    // What its own runs lost; one that another process waits for may take the slot of that one with it.
    const lost = "select distinct scheduled_for from runs where state in ('failed', 'partial') and worker = 'desk-1'";
    const [victim = 0] = pids;
    expect(stdout).toContain(`kill -9 ${victim}`);
    process.kill(victim, "SIGKILL");
    await demo.printed("desk-1 has ended (SIGKILL)");
    // In one question, after the kill: a run that ended just before it is lost as well.
    const lostThen = await ask(lost.replace("'partial'", "'partial', 'running'"));
    const all = "select distinct account from runs";
    const accounts = (await ask(all)).length;
    while ((await ask(`${all} where worker = 'desk-2' and state = 'ok'`)).length < accounts) await seconds(0.2);
    expect(await ask("select worker from runs where state = 'missed'")).toEqual([]);
    expect(lostThen).toEqual(expect.arrayContaining(await ask(lost)));
    expect(await ask(question)).toContainEqual(expect.objectContaining({ worker: "desk-2", state: "ok" }));
    while (!(await (await fetchOnce(page)).text()).includes("▲ Gone")) await seconds(0.2);
    expect((await run(["db", "verify"], folder, env)).code).toBe(0);

    demo.child.kill("SIGINT");
    expect((await demo.finished).code).toBe(0);
    expect(pids.filter(isRunning)).toEqual([]);
    expect(existsSync(urlFile)).toBe(false);
    expect(readdirSync(join(folder, "data"))).toEqual([]);
  });

  it("ends what it started also when it is killed itself", async () => {
    const demo = begin(["demo", "--postgres"], temporaryFolder(), { HTTP_PORT: "0" });
    await demo.printed("Ctrl-C stops everything");
    const { stdout } = demo.output();
    const pids = [...stdout.matchAll(/process (\d+)/g)].map((match) => Number(match[1]));
    expect(pids.length).toBe(2);
    demo.child.kill("SIGKILL");
    await demo.finished;
    await until(() => !pids.some(isRunning));
    // What it could not remove itself.
    for (const left of stdout.match(/\/\S*\/(collector-pg|bitget-demo)-\w+/g) ?? []) rmSync(left, { recursive: true });
  });
});
