/** Measures the first collection of the exchange's ledger: the built program, and the simulated exchange with its limits. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../src/core/clock.ts";
import { startSimulator } from "../src/simulator/simulator.ts";
import { query } from "../test/store/kit.ts";
import { billAt } from "../test/support/bills.ts";
import { setup as build } from "../test/support/build.ts";
import { launch } from "../test/support/program.ts";
import { account } from "./exchange.ts";
import { compare, type Figure } from "./figure.ts";
import { newFolder } from "./folder.ts";

const days = 89;
const coins = 12;
const perSecond = 10;
const latencyMs = 50;

export const firstLedger: Figure = {
  name: "first-ledger",
  summary: `the first collection of 50,000 entries over ${coins} coins, at ${latencyMs} ms of latency (--quick: 10,000)`,
  async run({ quick }) {
    build();
    const count = quick ? 10_000 : 50_000;
    const now = Date.now();
    const simulator = await startSimulator({ clock: systemClock, from: now, latencyMs, accounts: [account] });
    const folder = newFolder();
    const stepMs = Math.floor((days * 86_400_000) / count);
    for (let n = 0; n < count; n++) {
      const bill = billAt(now - (count - n) * stepMs, n);
      simulator.bills.push({ ...bill, row: { ...bill.row, coin: `COIN${n % coins}` } });
    }
    try {
      const program = launch(["collect", "bills"], folder, {
        DATABASE_URL: "file:./collector.db",
        BITGET_BASE_URL: simulator.url,
        BITGET_API_KEY: account.key,
        BITGET_API_SECRET: account.secret,
        BITGET_API_PASSPHRASE: account.passphrase,
      });
      const { code, stderr } = await program.finished;
      const [run] = query(
        join(folder, "collector.db"),
        `select requests, (julianday(finished_at) - julianday(started_at)) * 86400000 as ms,
           (select count(*) from bills where wallet = 'umcbl') as entries from runs where dataset = 'bills'`,
      );
      const { limitViolations } = simulator.counts;
      if (code !== 0 || Number(run?.entries) < count || limitViolations > 0)
        throw new Error(
          `not measured: exit code ${code}, ${run?.entries} entries, ${limitViolations} above limits\n${stderr}`,
        );
      // Those of the product types without entries count to the same limit; the few of other endpoints are negligible.
      const limit = `${run?.requests} requests at ${perSecond} a second`;
      const least = (Number(run?.requests) / perSecond) * 1000;
      return [compare(`first collection of ${count} entries`, Number(run?.ms), "ms", limit, least)];
    } finally {
      await simulator.close();
      rmSync(folder, { recursive: true });
    }
  },
};
