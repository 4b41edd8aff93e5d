/** Row E32: the lists of the exchange's records fail, each in its own way. */
import { expect } from "vitest";
import { datasets } from "../../src/datasets/index.ts";
import { verify } from "../../src/store/verify/verify.ts";
import { row } from "./row.ts";
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
