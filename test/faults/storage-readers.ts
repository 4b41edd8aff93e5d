/** Other programs and the program's own commands on the live database file: row S23, and S11 for the write-ahead log. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Running } from "../support/program.ts";
import { canMount } from "./disks.ts";
import { type Bench, row, rowElsewhere } from "./row.ts";
import { nextRun, runsOf } from "./runs.ts";
import { canTrace } from "./syscalls.ts";
import { foreignOpens, tracedOpens } from "./traced-opens.ts";

const canRun = (command: string, ...args: string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

/** Returns whether a process holds a lock on the file, according to /proc/locks. */
const holdsLock = (pid: number | undefined, file: string): boolean => {
  const inode = statSync(file, { throwIfNoEntry: false })?.ino;
  return new RegExp(`^\\d+: POSIX +ADVISORY +\\w+ +${pid} \\w+:\\w+:${inode} `, "m").test(
    readFileSync("/proc/locks", "utf8"),
  );
};

/** The commands in the guides that read the live file with other programs. */
const guideLines = ["docs/guides/querying.md", "docs/guides/operating.md"]
  .flatMap((page) => readFileSync(page, "utf8").split("\n"))
  .filter((line) => /^sqlite3 .*data\/collector\.db/.test(line));

const python = (statement: string): string =>
  `python3 -c "import sqlite3; c = sqlite3.connect('data/collector.db'); c.execute('${statement}').fetchall(); c.close()"`;

const otherPrograms = [
  ...guideLines,
  'sqlite3 data/collector.db "select count(*) from runs"',
  'sqlite3 data/collector.db "pragma wal_checkpoint"',
  python("select count(*) from runs"),
  python("pragma integrity_check"),
];

/** Every command that reads the history, or that may run while a daemon does. */
const ownCommands = [
  ["status"],
  ["sql", "select count(*) from runs"],
  ["history", "spot-assets"],
  ["report", "balances"],
  ["export", "spot-assets", "--out", "spot.csv"],
  ["db", "backup", "copy.db"],
  ["db", "verify"],
  ["db", "prune", "--before", "-1d"],
];

/** Returns the slots that this daemon logged as ok and that are not ok in the current file. */
function lost({ rows }: Bench, daemon: Running): string[] {
  const stored = new Set(
    rows("select dataset, scheduled_for as slot from runs where state = 'ok'").map(
      (one) => `${one.dataset} ${one.slot}`,
    ),
  );
  return ["spot-assets", "positions"]
    .flatMap((dataset) => runsOf(daemon, dataset))
    .filter(({ state }) => state === "ok")
    .map(({ dataset, slot }) => `${dataset} ${slot}`)
    .filter((one) => !stored.has(one));
}

/** The default: daily reports are checked within the first second. */
const withReports = { SCHEDULE_REPORTS: undefined, HTTP_PORT: "0" };

const canRead = existsSync("/proc/locks") && canRun("sqlite3", "--version") && canRun("python3", "--version");
const everyReader: typeof row = canRead
  ? row
  : (id, fault) => rowElsewhere(id, fault, "needs Linux, and the programs sqlite3 and python3");

everyReader(
  "S23",
  "every read that is recommended, on the live file, then SIGKILL",
  { inEveryRun: true, timeoutSeconds: 180 },
  async (bench) => {
    const { folder, path, run } = bench;
    const daemon = await bench.start(withReports);
    await daemon.printed("dashboard:");
    await nextRun(daemon, "positions", "ok", 0);
    const log = statSync(`${path}-wal`).ino;
    const unlocked: string[] = [];
    const look = (after: string) => {
      if (!holdsLock(daemon.child.pid, path) || !holdsLock(daemon.child.pid, `${path}-shm`)) unlocked.push(after);
    };
    look("start");
    for (const command of otherPrograms) {
      execFileSync("sh", ["-c", command], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
      look(command);
    }
    for (const args of ownCommands) {
      expect([args, (await run(args)).code]).toEqual([args, 0]);
      look(args.join(" "));
    }
    await nextRun(daemon, "spot-assets", "ok");
    await nextRun(daemon, "positions", "ok");
    look("all of it");
    daemon.child.kill("SIGKILL");
    await daemon.finished;
    expect(guideLines.length).toBeGreaterThan(1);
    expect({
      lost: lost(bench, daemon),
      unlocked,
      log: statSync(`${path}-wal`, { throwIfNoEntry: false })?.ino,
    }).toEqual({
      lost: [],
      unlocked: [],
      log,
    });
  },
);

const traced: typeof row = canTrace && canRead ? row : (id, fault) => rowElsewhere(id, fault, "needs strace and Linux");

traced(
  "S23b",
  "start, pages, reports, backup, prune, verify and stop under strace",
  { timeoutSeconds: 180 },
  async (bench) => {
    const { folder, path, launch } = bench;
    const traces: string[] = [];
    const traceOf = (): string[] => {
      traces.push(join(folder, `trace-${traces.length}`));
      const calls = "open,openat,openat2,close,dup,dup2,dup3,close_range,clone,clone3,fork,vfork,exit_group";
      return [
        "strace",
        "-f",
        "-qq",
        "-y",
        "-s",
        "0",
        "-o",
        traces.at(-1) ?? "",
        "-e",
        `trace=${calls}`,
        "-e",
        "signal=none",
      ];
    };
    const daemon = launch(withReports, ["start"], traceOf());
    await daemon.printed("dashboard:");
    const [, url = ""] = /dashboard: the pages are at (\S+?)"/.exec(daemon.output().stderr) ?? [];
    await nextRun(daemon, "positions", "ok", 0);
    for (const page of ["/", "/collection", "/healthz", "/api/gaps", "/metrics"])
      await (await fetch(url + page)).text();
    for (const args of ownCommands) {
      const { code, stderr } = await launch({}, args, traceOf()).finished;
      expect([args, code, stderr]).toEqual([args, 0, stderr]);
    }
    await nextRun(daemon, "spot-assets", "ok");
    const { pid } = daemon.child;
    process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ")[0]), "SIGTERM");
    expect((await daemon.finished).code).toBe(0);
    const opens = traces.map((file) => tracedOpens(readFileSync(file, "utf8")));
    // Each process opens the database through SQLite at some time, which shows that the trace covers it.
    expect(opens.map((all) => all.some(({ file, bySqlite }) => file === path && bySqlite))).toEqual(
      traces.map(() => true),
    );
    expect(opens.flatMap((all) => foreignOpens(all, path))).toEqual([]);
  },
);

const asUser = (uid: number, gid: number): string[] => [
  "setpriv",
  `--reuid=${uid}`,
  `--regid=${gid}`,
  "--clear-groups",
];
const readers = { uid: 54_321, gid: 43_210 };
const asReader = asUser(readers.uid, readers.gid);
/** A user other than root: for root, SQLite itself gives its files the group of the database. */
const owner = { uid: 54_322, gid: 43_211 };
const asOwner = asUser(owner.uid, owner.gid);
const otherUser: typeof row =
  canMount && canRead && canRun("setpriv", "--version")
    ? row
    : (id, fault) => rowElsewhere(id, fault, "needs root, setpriv, sqlite3 and python3");
const openToGroup = "the group may read these files on purpose";

otherUser(
  "S23c",
  "a reader with another user, as in the guide",
  { timeoutSeconds: 60, notChecked: { invariants: openToGroup } },
  async (bench) => {
    const { folder, path, launch } = bench;
    const startAsOwner = async (): Promise<Running> => {
      const daemon = launch({}, ["start"], asOwner);
      await daemon.printed("collecting main");
      return daemon;
    };
    chownSync(folder, owner.uid, owner.gid);
    chmodSync(folder, 0o755);
    expect((await launch({}, ["collect", "spot-assets"], asOwner).finished).code).toBe(0);
    const [line = ""] = /^chgrp -R readers data .*$/m.exec(readFileSync("docs/guides/operating.md", "utf8")) ?? [];
    execFileSync("sh", ["-c", line.replace("readers", String(readers.gid))], { cwd: folder });
    const count = (...args: string[]): string =>
      execFileSync("setpriv", [...asReader.slice(1), "sqlite3", ...args, "select count(*) > 0 from runs"], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    const modes = () => ["", "-wal", "-shm"].map((suffix) => (statSync(path + suffix).mode & 0o777).toString(8));
    const first = await startAsOwner();
    await nextRun(first, "spot-assets", "ok", 0);
    expect([modes(), count("-readonly", path), count(path)]).toEqual([["640", "640", "640"], "1", "1"]);
    // A kill leaves a write-ahead log with another mode; the next start gives it the database's mode again.
    first.child.kill("SIGKILL");
    await first.finished;
    chmodSync(`${path}-wal`, 0o600);
    const daemon = await startAsOwner();
    await nextRun(daemon, "spot-assets", "ok", 0);
    expect([modes(), count("-readonly", path)]).toEqual([["640", "640", "640"], "1"]);
    const status = await launch({}, ["status"], asReader).finished;
    expect([status.stdout, status.stderr]).toEqual([expect.stringContaining("spot-assets"), ""]);
    // Without permission to read the lock, the state of the collector is unknown.
    expect(status.stdout).not.toContain("Nothing collects");
    expect((await bench.stop(daemon)).code).toBe(0);
    expect(count(`file:${path}?immutable=1`)).toBe("1");
    expect(() => count("-readonly", path)).toThrow();
  },
);

const inDeleted = "what was committed last is in a log that was deleted under it";
for (const [letter, what, change] of [
  ["b", "deleted", (file: string) => rmSync(file)],
  [
    "c",
    "replaced",
    (file: string) => {
      copyFileSync(file, `${file}.copy`);
      renameSync(`${file}.copy`, file);
    },
  ],
] as const) {
  for (const suffix of ["-wal", "-shm"]) {
    const id = `S11${letter}` as const;
    row(
      id,
      `${suffix} ${what} while running`,
      { inEveryRun: suffix === "-wal", timeoutSeconds: 60, notChecked: { invariants: inDeleted } },
      async (bench) => {
        const { path } = bench;
        const daemon = await bench.start({ SCHEDULE_POSITIONS: "" });
        await nextRun(daemon, "spot-assets", "ok", 0);
        change(path + suffix);
        const before = runsOf(daemon, "spot-assets").length;
        const { code, stderr } = await daemon.finished;
        expect([code, stderr]).toEqual([
          74,
          expect.stringContaining(`${path}${suffix} was moved, deleted or replaced while in use`),
        ]);
        expect(runsOf(daemon, "spot-assets").length).toBeLessThanOrEqual(before + 1);
        expect(lost(bench, daemon)).toEqual([]);
        expect((await bench.run(["db", "verify"])).code).toBe(0);
      },
    );
  }
}

/** Resolves when another program has read the database; it keeps it open. */
async function heldByReader({ path, onEnd }: Bench): Promise<void> {
  const script = `import sqlite3, time
connection = sqlite3.connect(${JSON.stringify(path)})
print(connection.execute("select count(*) from run").fetchall(), flush=True)
time.sleep(600)`;
  const reader = spawn("python3", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  onEnd(() => reader.kill("SIGKILL"));
  await new Promise((resolve) => reader.stdout.once("data", resolve));
}

for (const [letter, when, schedule] of [
  ["d", "then stopped", "*/20 * * * * *"],
  ["e", "noticed at the next commit", "*/2 * * * * *"],
] as const) {
  const id = `S11${letter}` as const;
  const declare: typeof row = canRun("python3", "--version")
    ? row
    : (id, fault) => rowElsewhere(id, fault, "needs python3");
  declare(
    id,
    `-wal deleted while another program reads, ${when}`,
    { inEveryRun: letter === "d", timeoutSeconds: 60, notChecked: { invariants: inDeleted } },
    async (bench) => {
      const daemon = await bench.start({ SCHEDULE_POSITIONS: "", SCHEDULE_SPOT_ASSETS: schedule });
      await nextRun(daemon, "spot-assets", "ok", 0);
      await heldByReader(bench);
      rmSync(`${bench.path}-wal`);
      const { code } = letter === "d" ? await bench.stop(daemon) : await daemon.finished;
      expect([code, lost(bench, daemon)]).toEqual([letter === "d" ? 0 : 74, []]);
    },
  );
}
