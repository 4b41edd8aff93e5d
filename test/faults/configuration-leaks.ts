/** Rows C7 and C9: settings that would leak keys. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect } from "vitest";
import { credentials } from "../support/settings.ts";
import { row, type Settings } from "./row.ts";
import { expectCollects, noKeys, startupProblems } from "./startup-problems.ts";

/** Runs the command that the error message suggests. */
const applySuggestedFix = ([problem = ""]: string[]) =>
  execFileSync("sh", ["-c", problem.replace(/^.*(?=chmod )/i, "")]);

row("C7", ".env 0644, directory 0777, database 0644, symlinked .env", { timeoutSeconds: 120 }, async (bench) => {
  const { account, folder, path } = bench;
  const file = join(folder, ".env");
  const lines = Object.entries(credentials(account)).map(([name, value]) => `${name}="${value}"`);
  const written = join(folder, "elsewhere.secret");
  writeFileSync(written, lines.join("\n"), { mode: 0o644 });
  symlinkSync(written, file);
  const open = `${file} contains keys and can be read by other users. Run: chmod 600 ${file}`;
  expect(await startupProblems(bench, noKeys)).toEqual([open]);
  chmodSync(written, 0o640);
  const problem = await startupProblems(bench, noKeys);
  expect(problem).toEqual([open]);
  applySuggestedFix(problem);
  expect(statSync(written).mode & 0o777).toBe(0o600);
  await expectCollects(bench, noKeys);
  for (const name of [path, `${path}.lock`]) expect([name, statSync(name).mode & 0o777]).toEqual([name, 0o600]);
  expect(statSync(join(folder, "data")).mode & 0o777).toBe(0o700);

  // Files of the database that others can read are restricted at once, with a log line; a copy made by hand is readable by default.
  const killed = await bench.start(noKeys);
  await killed.printed(/"state":"ok"/);
  killed.child.kill("SIGKILL");
  await killed.finished;
  for (const name of [path, `${path}-wal`, `${path}-shm`]) chmodSync(name, 0o644);
  const daemon = await bench.start(noKeys);
  for (const name of [path, `${path}-wal`, `${path}-shm`])
    expect([name, statSync(name).mode & 0o777]).toEqual([name, 0o600]);
  expect(daemon.output().stderr).toContain("the database could be read by others; its mode is 0600 now");
  await bench.stop(daemon);

  chmodSync(join(folder, "data"), 0o777);
  const shared = await startupProblems(bench, noKeys);
  expect(shared).toEqual([expect.stringContaining(`${path} is in a world-writable directory. `)]);
  applySuggestedFix(shared);
  await expectCollects(bench, noKeys);
});

row(
  "C7b",
  ".env that is a dangling link, or a directory; readable by others but without keys",
  { timeoutSeconds: 120 },
  async (bench) => {
    const file = join(bench.folder, ".env");
    symlinkSync("nowhere", file);
    expect(await startupProblems(bench, noKeys)).toEqual([expect.stringContaining(`${file} cannot be read (ENOENT)`)]);
    execFileSync("rm", [file]);
    mkdirSync(file);
    expect(await startupProblems(bench, noKeys)).toEqual([expect.stringContaining(`${file} cannot be read (EISDIR)`)]);
    execFileSync("rmdir", [file]);
    writeFileSync(file, "LOG_LEVEL=warn\nBITGET_API_KEY=\n", { mode: 0o644 });
    await expectCollects(bench, {});
  },
);

row(
  "C9",
  "NODE_TLS_REJECT_UNAUTHORIZED=0, NODE_DEBUG=http, HTTPS_PROXY, process reports",
  { timeoutSeconds: 120 },
  async (bench) => {
    const { folder, onEnd } = bench;
    const tables: [Settings, string][] = [
      [
        { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
        "NODE_TLS_REJECT_UNAUTHORIZED is 0: any server could impersonate the exchange",
      ],
      [{ NODE_DEBUG: "https,tls" }, "NODE_DEBUG is set, and its output can contain keys; unset it"],
      [{ NODE_OPTIONS: "--report-on-fatalerror --report-on-signal" }, "NODE_OPTIONS has --report-…"],
      [{ NODE_OPTIONS: `--tls-keylog=${join(folder, "keys")}` }, "NODE_OPTIONS has --tls-keylog…"],
      [{ NODE_OPTIONS: "--heapsnapshot-signal=SIGUSR2" }, "NODE_OPTIONS has --heapsnapshot-…"],
    ];
    for (const [env, problem] of tables) {
      const { code, stderr } = await bench.run(["start"], env);
      expect([code, stderr]).toEqual([78, expect.stringContaining(problem)]);
    }
    expect(bench.exchange.counts.requests).toBe(0);

    let proxied = 0;
    const proxy = createServer((socket) => {
      proxied += 1;
      socket.destroy();
    });
    await new Promise<void>((ready) => proxy.listen(0, "127.0.0.1", ready));
    onEnd(() => proxy.close());
    const address = proxy.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    // Prints on request which settings a process report or a child process would contain.
    const look = join(folder, "look.cjs");
    writeFileSync(look, 'process.on("SIGUSR2", () => console.error("names", Object.keys(process.env).join(), "end"));');
    const daemon = await bench.start({ HTTPS_PROXY: url, http_proxy: url, NODE_OPTIONS: `--require=${look}` });
    await daemon.printed(/"state":"ok"/);
    daemon.child.kill("SIGUSR2");
    await daemon.printed(" end\n");
    await bench.stop(daemon);
    const { stderr } = daemon.output();
    expect(stderr).toMatch(/names .*LOG_FORMAT.* end/);
    expect(stderr).not.toMatch(/names .*API_(KEY|SECRET|PASSPHRASE)/);
    expect(stderr).toContain("HTTPS_PROXY is not used for 127.0.0.1: it is this machine itself");
    expect([proxied, bench.exchange.counts.badSignatures]).toEqual([0, 0]);
  },
);
