import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { expect, it, onTestFinished } from "vitest";

/** Returns a program that beats for `beatsFor` milliseconds, then blocks its thread permanently. */
const program = (beatsFor: number): string => `
  import { Worker } from "node:worker_threads";
  const beats = new Int32Array(new SharedArrayBuffer(4));
  new Worker(${JSON.stringify(resolve("dist/web/process/watchdog.js"))}, { workerData: { beats, seconds: 1 }, execArgv: [] });
  setInterval(() => Atomics.add(beats, 0, 1), 100);
  setTimeout(() => { console.log("busy"); for (;;); }, ${beatsFor});
`;

it("kills a process that stops beating, with the reason on stderr, and not before", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program(3500)]);
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const [, signal] = await once(child, "close");
  expect([signal, output]).toEqual(["SIGKILL", "busy\na page blocked the dashboard for 1 s"]);
});
