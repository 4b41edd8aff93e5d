/**
 * `npm run test:soak [-- --minutes N]`: ten accounts, six datasets, a slot every two seconds, a fault in every twentieth
 * request; the built daemon in one process, the simulated exchange in another. Prints each measurement with its limit and
 * exits with 1 where one is exceeded.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { SimulatedAccount } from "../../src/simulator/simulator.ts";
import { violations } from "../faults/invariants.ts";
import { setup as build } from "../support/build.ts";
import { credentials, everyDataset } from "../support/settings.ts";
import { startDaemon } from "./daemon.ts";
import { startExchange } from "./exchange.ts";
import { type Figure, figuresOf, storedFigures } from "./figures.ts";

/** The calm periods before the first and after the last fault, ms. The second is longer because idle connections are kept for a minute. */
const calmFor = { before: 45_000, after: 100_000 };
/** Samples used of each calm period; one comes every five seconds. */
const looks = 6;

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
if (!/^\d{1,4}$/.test(values.minutes)) {
  console.error("--minutes takes a whole number of minutes, as in --minutes 10");
  process.exit(64);
}

const accounts = Array.from({ length: 10 }, (_, n): SimulatedAccount => {
  const name = n === 0 ? "main" : `sub${n}`;
  const mode = n % 2 === 0 ? "classic" : "unified";
  return {
    name,
    key: `bg_soak${String(n).padStart(28, "0")}`,
    secret: `soak-secret-${n}-of-the-simulator`,
    passphrase: `Soak-pass-${n}`,
    mode,
  };
});

const printed = ({ what, value, unit, bar }: Figure): string => {
  const rounded = value.toLocaleString("en-US", { maximumFractionDigits: value < 100 ? 1 : 0 });
  const held = bar === null ? "" : `${value <= bar ? "holds" : "FAILS"}  at most ${bar} ${unit}`;
  return `${what.padEnd(42)}${`${rounded} ${unit}`.padStart(16)}   ${held}`.trimEnd();
};

build();
const folder = mkdtempSync(join(tmpdir(), "collector-soak-"));
const exchange = await startExchange(accounts);
const daemon = await startDaemon(folder, {
  BITGET_ACCOUNTS: accounts.map(({ name }) => name).join(),
  ...Object.assign({}, ...accounts.map((account) => credentials(account, `BITGET_${account.name.toUpperCase()}`))),
  BITGET_BASE_URL: exchange.url,
  HTTP_PORT: "",
  SCHEDULE_REPORTS: "",
  ...everyDataset("*/2 * * * * *"),
});
try {
  console.error(`soaking for ${values.minutes} minutes, and two and a half of calm, in ${folder}`);
  await sleep(calmFor.before);
  daemon.requireAlive();
  const calm = daemon.samples.slice(-looks);
  await exchange.ask("faults");
  for (let minutes = Number(values.minutes); minutes > 0; minutes -= 1) {
    await sleep(60_000);
    daemon.requireAlive();
    const last = daemon.samples.at(-1);
    console.error(`${last?.runs} runs, ${Math.round((last?.rss ?? 0) / 2 ** 20)} MiB, ${minutes - 1} minutes left`);
  }
  const soaked = daemon.samples.length;
  const { requests, faults, violations: above } = await exchange.ask("calm");
  await sleep(calmFor.after);
  const { samples, path } = daemon;
  const end = await daemon.stop();
  const figures: Figure[] = [
    ...figuresOf(samples.slice(0, soaked), calm, samples.slice(-looks)),
    ...storedFigures(path),
    { what: "requests", value: requests, unit: "", bar: null },
    { what: "of them with a fault", value: (100 * faults) / requests, unit: "%", bar: null },
    { what: "requests above the exchange's limits", value: above, unit: "", bar: 0 },
    { what: "from SIGTERM to the end", value: end.tookMs, unit: "ms", bar: 10_000 },
  ];
  const broken = [
    ...(end.code === 0 ? [] : [`it ended with ${end.code ?? end.signal}`]),
    ...(await violations(path, [end])),
  ];
  console.log(figures.map(printed).join("\n"));
  console.log(broken.length === 0 ? "the invariants hold" : broken.join("\n"));
  if (broken.length > 0 || figures.some(({ value, bar }) => bar !== null && !(value <= bar))) process.exitCode = 1;
} finally {
  daemon.kill();
  exchange.close();
  rmSync(folder, { recursive: true, force: true });
}
