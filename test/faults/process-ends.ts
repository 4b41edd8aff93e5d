/** Ways in which a process ends, and what the next one finds: rows T1 to T6 and T23. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { expect } from "vitest";
import type { Finished } from "../support/program.ts";
import { expectTruth } from "../support/truth.ts";
import { seconds, until } from "../support/wait.ts";
import { preload } from "./preload.ts";
import { type Bench, isQuick, row, rowElsewhere } from "./row.ts";
import { nextRun, serverTime, spot } from "./runs.ts";
import { canTrace, underStrace } from "./syscalls.ts";

const onlySpot = { SCHEDULE_POSITIONS: "" };

/** Resolves when a request for spot assets is in flight whose response takes `delayMs`, or never comes. */
async function inMidRun({ exchange }: Bench, delayMs?: number): Promise<void> {
  exchange.injectFault({ path: spot, ...(delayMs ? { delayMs } : { hang: true }) });
  await until(() => exchange.pendingFaults() === 0);
}

const lastRun = ({ rows }: Bench) => rows("select state, cause from runs order by scheduled_for desc limit 1");

row("T1", "SIGTERM or SIGINT during a run", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const daemon = await bench.start(onlySpot);
    await inMidRun(bench, 1000);
    const asked = bench.exchange.counts.requests;
    const before = performance.now();
    daemon.child.kill(signal);
    const { code, stderr } = await daemon.finished;
    expect(code).toBe(0);
    expect(performance.now() - before).toBeLessThan(20_000);
    expect(stderr).toMatch(/"msg":"stopped"}\n$/);
    // The run in progress got its response and was stored; no other was started.
    expect(lastRun(bench)).toMatchObject([{ state: "ok" }]);
    expect(bench.exchange.counts.requests).toBe(asked);
    expect(bench.rows("select count(*) as n from runs where state = 'running'")).toEqual([{ n: 0 }]);
  }
  expect(bench.exchange.counts).toMatchObject({ badSignatures: 0, limitViolations: 0 });
});

row("T1b", "SIGTERM while a request gets no response", { timeoutSeconds: 60 }, async (bench) => {
  const daemon = await bench.start({ ...onlySpot, SCHEDULE_SPOT_ASSETS: "*/15 * * * * *" });
  await inMidRun(bench);
  const before = performance.now();
  expect((await bench.stop(daemon)).code).toBe(0);
  expect(performance.now() - before).toBeLessThan(20_000);
  expect(lastRun(bench)).toEqual([{ state: "failed", cause: "deadline" }]);
  expect(bench.rows("select error_message from snapshots order by snapshot_id desc limit 1")).toEqual([
    { error_message: "the program was stopped before it was finished" },
  ]);
});

// Requesting the server time alone would take thirty seconds.
row(
  "T1c",
  "SIGTERM during the request for the exchange's time",
  { inEveryRun: true, timeoutSeconds: 28 },
  async (bench) => {
    const { env, setClock } = preload(bench);
    const daemon = await bench.start({ ...onlySpot, ...env });
    await nextRun(daemon, "spot-assets", "ok");
    bench.exchange.injectFault({ path: serverTime, hang: true });
    setClock(3_600_000);
    await until(() => bench.exchange.pendingFaults() === 0);
    const { code, stderr } = await bench.stop(daemon);
    expect(code).toBe(0);
    expect(stderr).toMatch(/"msg":"stopped"}\n$/);
    expect(bench.rows("select distinct state from runs")).toEqual([{ state: "ok" }]);
  },
);

row("T1d", "SIGHUP and SIGUSR1 under nohup", { timeoutSeconds: 40 }, async (bench) => {
  const daemon = bench.launch(onlySpot, ["start"], ["nohup"]);
  await nextRun(daemon, "spot-assets", "ok");
  for (const signal of ["SIGHUP", "SIGUSR1", "SIGHUP"] as const) {
    daemon.child.kill(signal);
    await nextRun(daemon, "spot-assets", "ok");
  }
  const { code, stderr } = await bench.stop(daemon);
  expect(code).toBe(0);
  expect(stderr).not.toContain("Debugger listening");
});

/** Runs a command on its own terminal, which is closed at SIGUSR1; exits like the command. */
const onTerminal = `
import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
def close(*_):
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os._exit(status if status >= 0 else 128 - status)
signal.signal(signal.SIGUSR1, close)
while True: os.write(1, os.read(terminal, 65536))
`;

row("T1e", "the terminal is closed", { timeoutSeconds: 40 }, async (bench) => {
  const daemon = bench.launch(onlySpot, ["start"], ["python3", "-c", onTerminal]);
  await daemon.printed('"state":"ok"');
  daemon.child.kill("SIGUSR1");
  expect((await daemon.finished).code).toBe(129);
  expect(bench.rows("select count(*) as n from runs where state = 'running'")).toEqual([{ n: 0 }]);
});

/** Expects a restart to record the interrupted run with the cause "crashed". */
async function expectCrashed(bench: Bench, slot: unknown): Promise<void> {
  const again = await bench.start(onlySpot);
  await again.printed('"state":"ok"');
  await bench.stop(again);
  expect(again.output().stderr).toContain("1 runs were interrupted when the program last ended");
  expect(bench.rows(`select state, cause, rows from runs where scheduled_for = '${slot}'`)).toEqual([
    { state: "failed", cause: "crashed", rows: 0 },
  ]);
}

const cutOff = ({ rows }: Bench): unknown =>
  rows("select scheduled_for from runs where state = 'running'")[0]?.scheduled_for;

row("T2", "two SIGTERMs 100 ms apart", { timeoutSeconds: 60 }, async (bench) => {
  const daemon = await bench.start({ ...onlySpot, SCHEDULE_SPOT_ASSETS: "*/4 * * * * *" });
  await inMidRun(bench);
  daemon.child.kill("SIGTERM");
  await seconds(0.1);
  const before = performance.now();
  daemon.child.kill("SIGTERM");
  expect((await daemon.finished).code).toBe(143);
  // A run in progress would have had eight seconds.
  expect(performance.now() - before).toBeLessThan(6000);
  await expectCrashed(bench, cutOff(bench));
});

const kills = isQuick ? 8 : 100;

row("T3", `SIGKILL ${kills} times at random`, { inEveryRun: true, timeoutSeconds: 30 + kills * 6 }, async (bench) => {
  // A long period, so that no run reaches its deadline on a busy machine.
  const every = { SCHEDULE_SPOT_ASSETS: "*/3 * * * * *", SCHEDULE_POSITIONS: "*/3 * * * * *" };
  const ends: Finished[] = [];
  for (let n = 0; n < kills; n += 1) {
    const daemon = await bench.start(every);
    // Half of the kills wait until something is stored; all come at a random time of a period, and so of a run.
    if (n % 2 === 0) await daemon.printed('"state":"ok"');
    await seconds(Math.random() * 3);
    daemon.child.kill("SIGKILL");
    ends.push(await daemon.finished);
  }
  expect(ends.every(({ signal }) => signal === "SIGKILL")).toBe(true);
  const logged = ends.flatMap(({ stderr }) => [...stderr.matchAll(/"state":"ok"/g)]);
  expect(logged.length).toBeGreaterThanOrEqual(kills / 2);
  const daemon = await bench.start(every);
  await daemon.printed('"state":"ok"');
  expect((await bench.stop(daemon)).code).toBe(0);
  // At most two runs were in progress at a kill, and each is recorded as crashed.
  expect(bench.rows("select distinct state, cause from runs where state not in ('ok', 'missed')")).toEqual(
    bench.rows("select distinct 'failed' as state, 'crashed' as cause from runs where state = 'failed'"),
  );
  expect(Number(bench.rows("select count(*) as n from runs where cause = 'crashed'")[0]?.n)).toBeLessThanOrEqual(
    2 * kills,
  );
  expect(expectSent(bench)).toBeGreaterThan(logged.length);
  // A process does not know the requests of the one before it, so the rate limits may be exceeded slightly.
  expect(bench.exchange.counts).toMatchObject({ badSignatures: 0 });
});

/** Returns the command that runs the program under strace, which kills it at its Nth write to any file of the database. */
const killedAt = (path: string, write: number): string[] =>
  underStrace(["trace=pwrite64", `inject=pwrite64:signal=KILL:when=${write}`], {
    paths: ["", "-wal", "-journal", ".part/draft.db", ".part/draft.db-journal"].map((file) => `${path}${file}`),
  });

/** About the number of writes to create a database, and of a run afterwards. */
const most = { making: 200, run: 60 };

if (canTrace) {
  // Odd, so that frame headers and pages of the write-ahead log alternate.
  const step = isQuick ? 9 : 1;
  row(
    "T4",
    `SIGKILL at every write syscall (${step === 1 ? "each" : "every ninth"})`,
    { inEveryRun: true, timeoutSeconds: 300 },
    async (bench) => {
      expect((await bench.run(["collect", "spot-assets"])).code).toBe(0);
      let write = 1;
      for (; ; write += step) {
        const { code, signal, stderr } = await bench.launch({}, ["collect", "spot-assets"], killedAt(bench.path, write))
          .finished;
        expect(bench.rows("pragma integrity_check")).toEqual([{ integrity_check: "ok" }]);
        if (signal === null) {
          expect(code).toBe(0);
          expect(stderr).toContain('"state":"ok"');
          break;
        }
        expect(signal).toBe("SIGKILL");
        expect(write).toBeLessThan(most.run);
      }
      expect(write).toBeGreaterThan(20);
      const states = bench.rows("select distinct state, cause from runs order by state");
      expect(states).toEqual([
        { state: "failed", cause: "crashed" },
        { state: "ok", cause: null },
      ]);
      expectSent(bench);
    },
  );

  row(
    "T4b",
    "SIGKILL at every fifth write syscall while the database is created",
    { timeoutSeconds: 200 },
    async (bench) => {
      for (let write = 1; ; write += 5) {
        const { code, signal } = await bench.launch({}, ["collect", "spot-assets"], killedAt(bench.path, write))
          .finished;
        if (signal === null) {
          expect(code).toBe(0);
          break;
        }
        // The database is either missing or complete.
        if (existsSync(bench.path)) expect(bench.rows("pragma integrity_check")).toEqual([{ integrity_check: "ok" }]);
        expect(write).toBeLessThan(most.making);
      }
      expectSent(bench);
    },
  );
} else rowElsewhere("T4", "SIGKILL at every write syscall", "needs strace and the right to trace");

/** Expects the stored rows to equal those the exchange sent; returns how many rows were compared. */
function expectSent({ path, exchange }: Bench): number {
  const database = new Database(path, { readonly: true });
  try {
    return expectTruth(database, exchange.record);
  } finally {
    database.close();
  }
}

row("T5", "heap out of memory", { timeoutSeconds: 60 }, async (bench) => {
  const { env, runHook } = preload(bench);
  const options = `${env.NODE_OPTIONS} --max-old-space-size=60`;
  const daemon = await bench.start({
    ...onlySpot,
    ...env,
    NODE_OPTIONS: options,
    SCHEDULE_SPOT_ASSETS: "*/4 * * * * *",
  });
  await inMidRun(bench);
  runHook(daemon, "fill");
  expect(await daemon.finished).toMatchObject({ code: null, signal: "SIGABRT" });
  await expectCrashed(bench, cutOff(bench));
});

row("T6", "uncaught exception, unhandled rejection inside a run", { timeoutSeconds: 60 }, async (bench) => {
  const { env, runHook } = preload(bench);
  for (const action of ["throw", "reject"]) {
    const daemon = await bench.start({ ...onlySpot, ...env, SCHEDULE_SPOT_ASSETS: "*/4 * * * * *" });
    await inMidRun(bench);
    runHook(daemon, action);
    const { code, stderr } = await daemon.finished;
    expect(code).toBe(70);
    expect(stderr).toContain("Internal error of bitget-collector; please report it");
    expect(stderr).toMatch(/thrown without a handler|rejected without a handler: \[secret\]/);
    await expectCrashed(bench, cutOff(bench));
  }
});

const canUnshare = (() => {
  try {
    execFileSync("unshare", ["-pf", "--kill-child", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

if (canUnshare) {
  row("T23", "as PID 1", { timeoutSeconds: 60 }, async (bench) => {
    const daemon = bench.launch(onlySpot, ["start"], ["unshare", "-pf", "--kill-child"]);
    await daemon.printed('"state":"ok"');
    const { pid } = daemon.child;
    const inner = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8"));
    expect(readFileSync(`/proc/${inner}/status`, "utf8")).toMatch(/^NSpid:\t\d+\t1$/m);
    process.kill(inner, "SIGTERM");
    const { code, stderr } = await daemon.finished;
    expect(code).toBe(0);
    expect(stderr).toMatch(/"msg":"stopped"}\n$/);
  });
} else rowElsewhere("T23", "as PID 1", "needs unshare and the right to use it");
