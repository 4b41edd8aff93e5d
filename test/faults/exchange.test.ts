/** Faults of the exchange: rows E1 to E31. */
import { expect } from "vitest";
import { seconds } from "../support/wait.ts";
import { row } from "./row.ts";

row("E7", "503 for ever", { always: true }, async ({ start, exchange, rows }) => {
  exchange.misbehave({ status: 503, times: Number.POSITIVE_INFINITY, path: "/api/v2/spot" });
  await start();
  await seconds(5);
  const runs = rows(
    "select distinct state from runs where dataset = 'spot-assets' and state not in ('missed', 'running')",
  );
  expect(runs).toEqual([{ state: "failed" }]);
  expect(rows("select count(*) as n from spot_assets_history")).toEqual([{ n: 0 }]);
});
