import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Comparison, Figure } from "./figure.ts";

const cycles = 10_000;
const step = 1000;

/** Right after the garbage was collected; sizes in MiB. */
export interface Sample {
  cycles: number;
  /** Of the whole process: heap, code, SQLite's page cache, and tsx, which the built program does without. */
  resident: number;
  /** JavaScript objects that are still in use. */
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
    const line = (what: string, value: number, other: string, otherValue: number): Comparison => ({
      what,
      value,
      unit: "MiB",
      beside: { what: other, value: otherValue },
    });
    const growth = (of: "resident" | "heap") => ((late[of] - early[of]) * step) / (cycles - step);
    const after = (count: number) => `after ${count.toLocaleString("en-US")}`;
    return [
      line(`resident ${after(cycles)} cycles`, late.resident, "before the first", idle.resident),
      line(`resident ${after(cycles)} cycles`, late.resident, after(step), early.resident),
      line(`its growth per ${step} of them`, growth("resident"), `resident ${after(step)}`, early.resident),
      line(`heap in use ${after(cycles)} cycles`, late.heap, after(step), early.heap),
      line(`its growth per ${step} of them`, growth("heap"), `heap in use ${after(step)}`, early.heap),
    ];
  },
};

/** From a process of its own, so that other figures leave nothing in it. */
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
