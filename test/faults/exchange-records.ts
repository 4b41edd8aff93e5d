/** Rows E32 to E35: the lists of the exchange's records fail, each in its own way, or are not read for long. */
import { expect } from "vitest";
import { datasets } from "../../src/datasets/index.ts";
import { verify } from "../../src/store/verify/verify.ts";
import { billAt } from "../support/bills.ts";
import { until } from "../support/wait.ts";
import { preload } from "./preload.ts";
import { type Bench, row } from "./row.ts";
import { nextRun, oneProductType } from "./runs.ts";

const spotBills = "/api/v2/spot/account/bills";
const futuresBills = "/api/v2/mix/account/bill";
const marginBills = "/api/v2/margin/crossed/financial-records";

const always = { times: Number.POSITIVE_INFINITY };

row("E32", "records: an empty page, a lost page, a wallet without permission", { inEveryRun: true }, async (bench) => {
  const { exchange } = bench;
  const without = (envelope: unknown) => ({ ...(envelope as object), data: [] });
  exchange.injectFault({ path: spotBills, edit: without });
  exchange.injectFault({ path: futuresBills, status: 502, body: "<html>" });
  exchange.injectFault({ ...always, path: marginBills, code: "40014" });
  const env = { ...oneProductType, SCHEDULE_SPOT_ASSETS: "", SCHEDULE_POSITIONS: "", SCHEDULE_BILLS: "*/4 * * * * *" };

  const daemon = await bench.start(env);
  await nextRun(daemon, "bills", "partial", 0);
  exchange.clearFaults();
  await nextRun(daemon, "bills", "ok");

  const wallets = bench.rows("select wallet, count(*) > 5 as many from bills where version = 0 group by 1 order by 1");
  expect(wallets).toEqual(
    expect.arrayContaining([
      { wallet: "spot", many: 1 },
      { wallet: "umcbl", many: 1 },
    ]),
  );
  expect(bench.rows("select count(*) as twice from bills where version > 0")).toEqual([{ twice: 0 }]);
  const gaps = bench.rows("select distinct product_type, cause from gaps where slots > 0 and product_type is not null");
  expect(gaps).toEqual([{ product_type: "margin-crossed", cause: "40014" }]);
  expect((await verify(bench.path, datasets)).problems).toEqual([]);
});

const day = 86_400_000;
const bills = { ...oneProductType, SCHEDULE_SPOT_ASSETS: "", SCHEDULE_POSITIONS: "" };

/** Adds bills of one wallet to the exchange: three pages, with two entries of one millisecond on either side of each page's end. */
function addBills({ exchange }: Bench): string[] {
  const newest = Date.now() - day;
  const all = Array.from({ length: 250 }, (_, n) => billAt(newest - (n % 100 === 0 ? n - 1 : n) * 60_000, 1000 - n));
  exchange.bills.push(...all);
  return all.map(({ row }) => row.billId).sort();
}

const storedBills = ({ rows }: Bench): unknown[] =>
  rows("select bill_id from bills where wallet = 'umcbl' order by bill_id").map(({ bill_id }) => bill_id);

row(
  "E33",
  "records: one millisecond on two pages, pages without their cursor",
  { inEveryRun: true, timeoutSeconds: 60 },
  async (bench) => {
    const expected = addBills(bench);
    bench.exchange.injectFault({ ...always, path: futuresBills, list: "without cursor" });
    expect((await bench.run(["collect", "bills"], bills)).code).toBe(0);
    expect(storedBills(bench)).toEqual(expected);
    bench.exchange.clearFaults();
    expect((await bench.run(["collect", "bills"], bills)).code).toBe(0);
    expect(storedBills(bench)).toEqual(expected);
  },
);

row(
  "E34",
  "records: SIGKILL at every page of the first run",
  { inEveryRun: true, timeoutSeconds: 120 },
  async (bench) => {
    const expected = addBills(bench);
    let kills = 0;
    for (let pages = 0; ; pages += 1) {
      if (pages > 0) bench.exchange.injectFault({ path: futuresBills, times: pages, edit: (envelope) => envelope });
      bench.exchange.injectFault({ path: futuresBills, hang: true });
      const run = bench.launch(bills, ["collect", "bills"]);
      const isOver = await Promise.race([
        until(() => bench.exchange.pendingFaults() === 0).then(() => false),
        run.finished.then(() => true),
      ]);
      bench.exchange.clearFaults();
      if (isOver) break;
      run.child.kill("SIGKILL");
      await run.finished;
      kills += 1;
    }
    expect(kills).toBeGreaterThan(4);
    expect(storedBills(bench)).toEqual(expected);
    expect(bench.rows("select state, cause, count(*) as n from runs group by 1, 2 order by 1")).toEqual([
      { state: "failed", cause: "crashed", n: kills },
      { state: "ok", cause: null, n: 1 },
    ]);
  },
);

row("E35", "records: the machine was off for 100 days", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { env, setClock } = preload(bench);
  const midnight = Math.ceil(Date.now() / day) * day;
  const set = (instant: number) => {
    bench.exchange.clockSkewMs = instant - Date.now();
    setClock(bench.exchange.clockSkewMs);
  };
  const settings = { ...bills, ...env, SCHEDULE_BILLS: "0 0 * * *" };
  const known = billAt(midnight - day, 1);
  bench.exchange.bills.push(known);
  set(midnight - 5000);
  const first = await bench.start(settings);
  await nextRun(first, "bills", "ok", 0);
  await bench.stop(first);
  const [lost, kept] = [billAt(midnight + 5 * day, 2), billAt(midnight + 50 * day, 3)];
  bench.exchange.bills.push(lost, kept);
  set(midnight + 100 * day - 5000);
  const again = await bench.start(settings);
  await nextRun(again, "bills", "ok", 0);
  await bench.stop(again);
  expect(storedBills(bench)).toEqual([known.row.billId, kept.row.billId].sort());
  const days = (name: string) => `cast(round((${name} - ${midnight}) / ${day}.0) as integer)`;
  expect(
    bench.rows(
      `select cause, ${days("from_at_ms")} as "from", ${days("to_at_ms")} as "to" from gaps where product_type = 'umcbl' and slots = 0`,
    ),
  ).toEqual([{ cause: "not read in time", from: 0, to: 10 }]);
  expect(bench.rows("select count(*) > 90 as many from runs where state = 'missed' and cause = 'not running'")).toEqual(
    [{ many: 1 }],
  );
});
