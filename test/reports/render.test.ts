import { expect, it } from "vitest";
import type { Source } from "../../src/queries/source.ts";
import { chartOf, csvOf } from "../../src/reports/render.ts";
import type { Report } from "../../src/reports/report.ts";
import { openReadOnly } from "../../src/store/sqlite/database.ts";
import { open, temporaryPath } from "../store/temporary.ts";
import { days } from "./kit.ts";

async function emptySource(): Promise<Source> {
  const path = temporaryPath();
  await open(path);
  return { sqlite: openReadOnly(path), account: null, now: 0 };
}

it("reading a report lets others have their turn every few milliseconds, also between two rows", async () => {
  const slow: Report = {
    name: "slow",
    summary: "",
    columns: ["day", "n"],
    *rows() {
      for (let n = 0n; n < 300n; n += 1n) {
        const until = performance.now() + 1;
        while (performance.now() < until);
        yield n % 100n === 0n ? ["2026-11-01", n] : null;
      }
    },
  };
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  let text = "";
  for await (const piece of csvOf(slow, await emptySource(), days("2026-11-01", "2026-11-02"))) text += piece;
  clearInterval(timer);
  expect(text).toBe("day,n\r\n2026-11-01,0\r\n2026-11-01,100\r\n2026-11-01,200\r\n");
  expect(turns).toBeGreaterThan(20);
});

it("so does reading what a chart draws", async () => {
  const slow: Report = {
    name: "slow",
    summary: "",
    columns: [],
    *rows() {},
    *chart() {
      for (let n = 0; n < 100; n += 1) {
        const until = performance.now() + 1;
        while (performance.now() < until);
        yield null;
      }
      return { title: "Slow", unit: "", timezone: "UTC", from: 0, to: 1, lines: [] };
    },
  };
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  const chart = await chartOf(slow, await emptySource(), days("2026-11-01", "2026-11-02"));
  clearInterval(timer);
  expect(chart?.title).toBe("Slow");
  expect(turns).toBeGreaterThan(5);
});
