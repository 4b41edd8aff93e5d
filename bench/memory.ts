import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { compare, type Figure } from "./figure.ts";

const cycles = 10_000;
const step = 1000;

/** Memory right after a garbage collection, in MiB. */
export interface Sample {
  cycles: number;
  /** Of the whole process: heap, code, SQLite's page cache, and tsx, which the built program does not need. */
  resident: number;
  /** JavaScript objects in use. */
  heap: number;
}

export const memory: Figure = {
  name: "memory",
  summary: `resident memory over ${cycles} cycles of six datasets, a minute apart`,
  async run() {
    const samples = await collectSamples();
    const at = (count: number): Sample => {
      const sample = samples.find((one) => one.cycles === count);
      if (!sample) throw new Error(`no sample after ${count} cycles`);
      return sample;
    };
    const [idle, early, late] = [at(0), at(step), at(cycles)];
    const growth = (of: "resident" | "heap") => ((late[of] - early[of]) * step) / (cycles - step);
    const after = (count: number) => `after ${count.toLocaleString("en-US")}`;
    return [
      compare(`resident ${after(cycles)} cycles`, late.resident, "MiB", "before the first", idle.resident),
      compare(`resident ${after(cycles)} cycles`, late.resident, "MiB", after(step), early.resident),
      compare(
        `growth of resident per ${step} cycles`,
        growth("resident"),
        "MiB",
        `resident ${after(step)}`,
        early.resident,
      ),
      compare(`heap in use ${after(cycles)} cycles`, late.heap, "MiB", after(step), early.heap),
      compare(`growth of heap per ${step} cycles`, growth("heap"), "MiB", `heap in use ${after(step)}`, early.heap),
    ];
  },
};

/** Collects the samples from a process of its own, so that other figures do not affect them. */
async function collectSamples(): Promise<Sample[]> {
  const child = fork(join(import.meta.dirname, "children", "cycles.ts"), [String(cycles), String(step)], {
    execArgv: ["--expose-gc", "--import", "tsx"],
  });
  const samples: Sample[] = [];
  child.on("message", (sample: Sample) => {
    samples.push(sample);
    console.error(`  ${sample.cycles} cycles: ${Math.round(sample.resident)} MiB`);
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`the cycles ended with ${code}`);
  return samples;
}
