/**
 * `npm run test:life [-- --days N --seed N]`: 400 days through the real scheduler, client and store, each life of the
 * collector a process that is killed, put to sleep, started with other schedules, or told the wrong time; the exchange
 * storms and an account is upgraded. Then everything stored is compared with what was due and what was told.
 *
 * The same seed gives the same life: everything that happens, kills included, happens at an instant of the simulated clock
 * or between two given steps of a run, never after so many real seconds. Twice the same life must give the same digest of
 * every run, snapshot and row. It ends with 1 where anything does not hold.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setup as build } from "../support/build.ts";
import { type Check, compare, digestOf, inspect } from "./checks.ts";
import { unnoticed } from "./damage.ts";
import { type Lived, live } from "./life.ts";
import { planOf } from "./plan.ts";

/** Days of the life that is lived twice and then damaged: enough for one of each event. */
const short = 8;

const { values } = parseArgs({
  options: { days: { type: "string", default: "400" }, seed: { type: "string", default: "1" } },
});
if (![values.days, values.seed].every((value) => /^[1-9]\d{0,3}$/.test(value))) {
  console.error("--days and --seed take whole numbers, as in --days 30 --seed 7");
  process.exit(64);
}
const seed = Number(values.seed);
const startedAt = performance.now();
const folder = mkdtempSync(join(tmpdir(), "collector-lifetime-"));
let wrong = 0;

const seconds = () => `${Math.round((performance.now() - startedAt) / 1000)} s`;

const through = (days: number, name: string): Promise<Lived> =>
  live(planOf(seed, days), join(folder, name), (day) => {
    if (day % 30 === 0) console.error(`${day} days: ${seconds()}`);
  });

function say(holds: boolean, what: string, more: readonly string[] = []): void {
  if (!holds) wrong += 1;
  console.log(`${holds ? "holds" : "FAILS"}  ${what}`);
  for (const line of more.slice(0, 10)) console.log(`       ${line}`);
}

function sayChecks(checks: readonly Check[]): void {
  for (const { promise, problems, seen } of checks) say(problems.length === 0, `${promise} (${seen})`, problems);
}

try {
  build();
  const twice = [await through(short, "first"), await through(short, "again")] as const;
  const [first, again] = twice.map(({ path }) => digestOf(path));
  say(first === again, `the same seed gives the same ${short} days (${first?.slice(0, 16)})`);
  const { all, names } = unnoticed(twice[0]);
  say(names.length === 0, `the comparisons find ${all - names.length} of ${all} damages`, names);

  const lived = await through(Number(values.days), "life");
  const happened = Object.entries(lived.counts).map(([what, times]) => `${times} × ${what}`);
  console.log(`${values.days} days with seed ${seed} in ${seconds()}: ${happened.sort().join(", ")}`);
  sayChecks([...compare(lived), ...(await inspect(lived))]);
  console.log(`digest ${digestOf(lived.path)}, ${seconds()} in all`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = wrong === 0 ? 0 : 1;
