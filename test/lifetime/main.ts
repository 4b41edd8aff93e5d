/**
 * `npm run test:life [-- --days N --seed N]`: simulates 400 days of the real scheduler, client and store. Collector
 * processes are killed, suspended, started with other schedules, or given a wrong clock; the exchange has storms of
 * failures, and an account is upgraded. Then everything stored is compared with what was due and what was sent.
 *
 * The same seed gives the same simulation: every event, kills included, happens at a time of the simulated clock or
 * between two given steps of a run, never after a real delay. The same seed must give the same digest of every run,
 * snapshot and row. Exits with 1 where a check fails.
 *
 * With `--machines N` it is N collectors that record into one PostgreSQL, and of which one is always dying.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setup as build } from "../support/build.ts";
import { type Check, compare, digestOf, inspect } from "./checks.ts";
import { undetectedDamage } from "./damage.ts";
import { liveOnMachines } from "./machines/main.ts";
import { planOf } from "./plan.ts";
import { type Simulation, simulate } from "./simulate.ts";

/** Days of the simulation that is run twice and then damaged: enough for one of each event. */
const short = 8;

const { values } = parseArgs({
  options: {
    days: { type: "string", default: "400" },
    seed: { type: "string", default: "1" },
    machines: { type: "string" },
  },
});
if (![values.days, values.seed, values.machines ?? "3"].every((value) => /^[1-9]\d{0,3}$/.test(value))) {
  console.error("--days, --seed and --machines take whole numbers, as in --days 30 --seed 7");
  process.exit(64);
}
const seed = Number(values.seed);
const startedAt = performance.now();
const folder = mkdtempSync(join(tmpdir(), "collector-lifetime-"));
let wrong = 0;

const seconds = () => `${Math.round((performance.now() - startedAt) / 1000)} s`;

const passed = (day: number): void => {
  if (day % 30 === 0) console.error(`${day} days: ${seconds()}`);
};

const simulateDays = (days: number, name: string): Promise<Simulation> =>
  simulate(planOf(seed, days), join(folder, name), passed);

function report(holds: boolean, what: string, more: readonly string[] = []): void {
  if (!holds) wrong += 1;
  console.log(`${holds ? "holds" : "FAILS"}  ${what}`);
  for (const line of more.slice(0, 10)) console.log(`       ${line}`);
}

function reportChecks(checks: readonly Check[]): void {
  for (const { promise, problems, extent } of checks) report(problems.length === 0, `${promise} (${extent})`, problems);
}

const happened = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([what, times]) => `${times} × ${what}`)
    .sort()
    .join(", ");

async function oneMachine(): Promise<void> {
  const twice = [await simulateDays(short, "first"), await simulateDays(short, "again")] as const;
  const [first, again] = twice.map(({ path }) => digestOf(path));
  report(first === again, `the same seed gives the same ${short} days (${first?.slice(0, 16)})`);
  const { all, names } = undetectedDamage(twice[0]);
  report(names.length === 0, `the comparisons find ${all - names.length} of ${all} damages`, names);

  const simulation = await simulateDays(Number(values.days), "life");
  console.log(`${values.days} days with seed ${seed} in ${seconds()}: ${happened(simulation.counts)}`);
  reportChecks([...compare(simulation), ...(await inspect(simulation))]);
  console.log(`digest ${digestOf(simulation.path)}, ${seconds()} in all`);
}

async function severalMachines(machines: number): Promise<void> {
  const { checks, counts } = await liveOnMachines({ days: Number(values.days), seed, machines, folder, passed });
  console.log(`${values.days} days with ${machines} machines and seed ${seed} in ${seconds()}: ${happened(counts)}`);
  reportChecks(checks);
}

try {
  build();
  await (values.machines === undefined ? oneMachine() : severalMachines(Number(values.machines)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = wrong === 0 ? 0 : 1;
