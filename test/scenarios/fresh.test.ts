/** Everything that reports freshness follows one rule, on a schedule with uneven periods. */
import { expect, it, onTestFinished } from "vitest";
import { AlertEvaluator } from "../../src/alerts/evaluator.ts";
import { systemClock } from "../../src/core/clock.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { openHistory } from "../../src/store/read/open-history.ts";
import { serve } from "../../src/web/server.ts";
import { openSite } from "../../src/web/site.ts";
import { days, reportRows } from "../reports/kit.ts";
import { coins, collect, failed, good } from "../store/kit.ts";
import { open, temporaryPath } from "../store/temporary.ts";
import { sendRequest } from "../support/http.ts";
import { idle } from "../web/site.ts";

const at = (text: string): number => Date.parse(`2026-11-${text}Z`);

/** The expected freshness at a time, after the run of a slot where there is one; a run is complete where its end is "ok". */
const steps: { run?: { slot: string; end: "ok" | "failed" }; now: string; fresh: boolean }[] = [
  { run: { slot: "02T09:00:00", end: "ok" }, now: "02T09:00:30", fresh: true },
  { run: { slot: "02T10:00:00", end: "ok" }, now: "02T10:00:30", fresh: true },
  { now: "03T08:59:59", fresh: true },
  { run: { slot: "03T09:00:00", end: "failed" }, now: "03T09:00:30", fresh: true },
  { now: "03T10:00:00", fresh: true },
  { now: "03T10:00:00.001", fresh: false },
  { run: { slot: "03T10:00:00", end: "failed" }, now: "03T10:00:30", fresh: false },
  { run: { slot: "04T09:00:00", end: "ok" }, now: "04T09:00:30", fresh: true },
  { run: { slot: "04T10:00:00", end: "failed" }, now: "05T09:00:00", fresh: true },
  { now: "05T09:00:00.001", fresh: false },
];

it("status, health, history, reports and alerts agree on what is current when periods are uneven", async () => {
  const path = temporaryPath();
  const store = await open(path);
  await store.setSchedule("main", "spot-assets", "0 9,10 * * *", at("02T08:00:00"));
  let now = at("02T08:00:00");
  const clock = { ...systemClock, now: () => now };
  const settings = { webhook: null, liquidationDistance: null, marginRatio: null, drawdown: null, drawdownHours: 24 };
  const watch = new AlertEvaluator(store, { ...settings, stale: true, keyRefused: false, ledgerBreak: false }, clock);
  await watch.begin();
  const history = openHistory(path);
  onTestFinished(() => history.close());

  let isAlerted = false;
  for (const { run, now: text, fresh } of steps) {
    now = at(text);
    if (run) {
      const slot = at(run.slot);
      const end =
        run.end === "ok" ? { snapshots: [good(coins(1), slot + 200)] } : { failures: [failed("timeout", slot + 200)] };
      await collect(store, spotAssets, slot, end);
    }
    await watch.evaluateNew();
    for (const { state } of await watch.evaluateStaleness()) isAlerted = state === "fired";
    const [balance] = reportRows(
      path,
      "balances",
      days(`2026-11-${text.slice(0, 2)}`, `2026-11-${text.slice(0, 2)}T23:59`),
      {
        now,
      },
    );
    expect({
      now: text,
      status: history.status(now).map((one) => one.fresh),
      health: await healthAt(path, now),
      history: history.asOf(spotAssets, {}, now).scopes.map(({ known }) => known),
      report: balance?.available !== null,
      alert: isAlerted,
    }).toEqual({
      now: text,
      status: [fresh],
      health: fresh ? "ok" : "stale",
      history: [fresh],
      report: fresh,
      alert: !fresh,
    });
  }
});

/** Returns what the dashboard and /healthz show at this time. */
async function healthAt(databasePath: string, now: number): Promise<unknown> {
  const opened = openSite({ databasePath, timezone: "UTC", sqlTimeoutSeconds: 10 }, idle);
  const place = { host: "127.0.0.1", port: 0, token: null, names: [] };
  const serving = await serve({ ...opened, now: () => now }, place, () => {});
  try {
    const { body } = await sendRequest(Number(new URL(serving.url).port), "/healthz");
    return (JSON.parse(body) as { status: unknown }).status;
  } finally {
    serving.close();
    opened.close();
  }
}
