import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { expect, it, onTestFinished } from "vitest";

/** Beats for so many milliseconds, then keeps its thread busy for good. */
const program = (beatsFor: number): string => `
  import { Worker } from "node:worker_threads";
  const beats = new Int32Array(new SharedArrayBuffer(4));
  new Worker(${JSON.stringify(resolve("dist/web/process/watchdog.js"))}, { workerData: { beats, seconds: 1 }, execArgv: [] });
  setInterval(() => Atomics.add(beats, 0, 1), 100);
  setTimeout(() => { console.log("busy"); for (;;); }, ${beatsFor});
`;

it("a process that is busy for too long is ended, and says why; one that beats is not", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program(3500)]);
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  const [, signal] = await once(child, "close");
  expect([signal, said]).toEqual(["SIGKILL", "busy\na page kept it busy for 1 s"]);
});
