/** Several processes on one database, and state kept from one start to the next: rows T17 to T21. */
import { expect } from "vitest";
import { credentials } from "../support/settings.ts";
import { seconds, until } from "../support/wait.ts";
import { preload } from "./preload.ts";
import { type Bench, row } from "./row.ts";
import { nextRun } from "./runs.ts";

const onlySpot = { SCHEDULE_POSITIONS: "" };
const taken = "Another process collects into";

row("T17", "two daemons, one DB; eight at once", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const all = Array.from({ length: 8 }, () => bench.launch(onlySpot));
  const ended = await new Promise<Set<(typeof all)[number]>>((resolve) => {
    const refused = new Set<(typeof all)[number]>();
    for (const one of all) {
      void one.finished.then(() => {
        if (refused.add(one).size === all.length - 1) resolve(refused);
      });
    }
  });
  for (const one of ended) {
    const { code, stderr } = await one.finished;
    expect(code).toBe(75);
    expect(stderr).toContain(taken);
  }
  const [holder] = all.filter((one) => !ended.has(one));
  if (!holder) throw new Error("all of them were refused");
  await nextRun(holder, "spot-assets", "ok");

  const took = async (args: readonly string[], code: number): Promise<number> => {
    const before = performance.now();
    expect((await bench.run(args, onlySpot)).code).toBe(code);
    return performance.now() - before;
  };
  // Three seconds on an idle machine; a busy one may need them just to start a program.
  const usual = await took(["--version"], 0);
  expect(await took(["start"], 75)).toBeLessThan(10_000 + 3 * usual);

  holder.child.kill("SIGKILL");
  await holder.finished;
  const next = await bench.start(onlySpot);
  await nextRun(next, "spot-assets", "ok");
  expect((await bench.stop(next)).code).toBe(0);
  const sent = bench.exchange.record.filter(({ dataset }) => dataset === "spot-assets").length;
  // Each response belongs to a run; the killed process may have lost one.
  expect(sent - Number(bench.rows("select count(*) as n from runs where state = 'ok'")[0]?.n)).toBeLessThanOrEqual(1);
});

row("T18", "lock under garbage collection", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { env, runHook, result } = preload(bench);
  const holder = await bench.start({ ...onlySpot, ...env });
  runHook(holder, "collectGarbage 100");
  await until(() => Number(result()) >= 30);
  const { code, stderr } = await bench.launch(onlySpot).finished;
  expect(code).toBe(75);
  expect(stderr).toContain(taken);
  await nextRun(holder, "spot-assets", "ok");
  expect((await bench.stop(holder)).code).toBe(0);
});

row("T19", "daemon and `collect` CLI at once", { timeoutSeconds: 60 }, async (bench) => {
  const daemon = await bench.start(onlySpot);
  await nextRun(daemon, "spot-assets", "ok");
  const [first, second] = await Promise.all([bench.run(["collect"]), bench.run(["collect", "spot-assets"])]);
  for (const { code, stdout, stderr } of [first, second]) {
    expect(code).toBe(75);
    expect(stdout).toBe("");
    expect(stderr).toContain(taken);
  }
  await nextRun(daemon, "spot-assets", "ok");
  await bench.stop(daemon);
  // Without manual runs: their slots are the millisecond in which they started.
  expect(bench.rows("select scheduled_for from runs where scheduled_for_ms % 1000 <> 0")).toEqual([]);
  expect(bench.rows("select distinct dataset from runs")).toEqual([{ dataset: "spot-assets" }]);
});

const states = ({ rows }: Bench, where: string) =>
  rows(`select state, cause, count(*) as n from runs where ${where} group by 1, 2 order by 1, 2`);

row(
  "T20",
  "schedule changed between restarts; job renamed; removed for a week",
  { timeoutSeconds: 60 },
  async (bench) => {
    const { env, setClock } = preload(bench);
    const live = async (settings: Record<string, string>) => {
      const daemon = bench.launch({ ...onlySpot, ...env, ...settings });
      if (settings.SCHEDULE_SPOT_ASSETS === "") {
        await daemon.printed("every dataset is switched off");
        await until(() => bench.rows("select 1 from schedules where until is null").length === 0);
      } else await daemon.printed('"state":"ok"');
      expect((await bench.stop(daemon)).code).toBe(0);
    };
    await live({});
    const old = bench.rows("select scheduled_for, state from runs order by scheduled_for");
    await live({ SCHEDULE_SPOT_ASSETS: "1-59/2 * * * * *" });
    await live({ SCHEDULE_SPOT_ASSETS: "" });
    const week = 7 * 86_400_000;
    setClock(week);
    bench.exchange.clockSkewMs = week;
    await live({ SCHEDULE_SPOT_ASSETS: "*/3 * * * * *" });
    const name = "renamed";
    await live({
      ...credentials(bench.account, "BITGET_RENAMED"),
      BITGET_ACCOUNTS: name,
      SCHEDULE_SPOT_ASSETS: "*/3 * * * * *",
    });
    expect(bench.rows("select scheduled_for, state from runs order by scheduled_for").slice(0, old.length)).toEqual(
      old,
    );
    // Four schedules of the old account name, each with its own beginning, and one of the new name.
    expect(bench.rows("select account, pattern, until is null as open from schedules order by since")).toEqual([
      { account: "main", pattern: "*/2 * * * * *", open: 0 },
      { account: "main", pattern: "1-59/2 * * * * *", open: 0 },
      { account: "main", pattern: "*/3 * * * * *", open: 0 },
      { account: name, pattern: "*/3 * * * * *", open: 1 },
    ]);
    // Only the slots between the stop and the next start, not those of the week (three hundred thousand).
    expect(Number(states(bench, "cause = 'not running'")[0]?.n)).toBeLessThan(100);
    const inTheWeek = `scheduled_for between '${at(week / 7)}' and '${at((6 * week) / 7)}'`;
    expect(states(bench, inTheWeek)).toEqual([]);
    expect(Number(states(bench, `account = '${name}' and state = 'ok'`)[0]?.n)).toBeGreaterThan(0);
  },
);

const at = (fromNow: number): string => new Date(Date.now() + fromNow).toISOString();

row("T21", "first start", { timeoutSeconds: 60 }, async (bench) => {
  const begin = Date.now();
  const daemon = await bench.start(onlySpot);
  await nextRun(daemon, "spot-assets", "ok");
  await seconds(1);
  expect((await bench.stop(daemon)).code).toBe(0);
  const [{ first } = { first: 0 }] = bench.rows("select min(scheduled_for_ms) as first from runs");
  expect(Number(first)).toBeGreaterThan(begin);
  expect(states(bench, "cause = 'not running'")).toEqual([]);
  expect(bench.rows("select count(*) as n from runs r join schedules s where r.scheduled_for <= s.since")).toEqual([
    { n: 0 },
  ]);
});
