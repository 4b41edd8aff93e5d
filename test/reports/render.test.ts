import { expect, it } from "vitest";
import { pause } from "../../src/core/async/cooperate.ts";
import type { Source } from "../../src/queries/source.ts";
import { csvOf } from "../../src/reports/render.ts";
import type { Report } from "../../src/reports/report.ts";
import { openHistory } from "../../src/store/read/open-history.ts";
import { open, temporaryPath } from "../store/temporary.ts";
import { days } from "./kit.ts";

async function emptySource(): Promise<Source> {
  const path = temporaryPath();
  await open(path);
  return { history: openHistory(path), account: null, now: 0 };
}

const span = days("2026-11-01", "2026-11-02");

/** A report of three rows, each of which takes longer than the time between two yields. */
function slowReport(onRow = () => {}): Report {
  return {
    name: "slow",
    summary: "",
    columns: ["day", "n"],
    *rows() {
      for (let n = 0n; n < 3n; n += 1n) {
        for (const until = performance.now() + 6; performance.now() < until; );
        onRow();
        yield pause;
        yield ["2026-11-01", n];
      }
    },
  };
}

it("a report is its header and its rows; reading it yields to the event loop", async () => {
  let turns = 0;
  const report = slowReport(() => setImmediate(() => (turns += 1)));
  let text = "";
  for await (const piece of csvOf(report, await emptySource(), span)) text += piece;
  expect(text).toBe("day,n\r\n2026-11-01,0\r\n2026-11-01,1\r\n2026-11-01,2\r\n");
  expect(turns).toBe(3);
});

it("a report is abandoned at the next yield when the program must stop", async () => {
  const stopping = new AbortController();
  const reading = csvOf(
    slowReport(() => stopping.abort()),
    await emptySource(),
    span,
    { signal: stopping.signal },
  );
  await expect(reading.next()).rejects.toThrow("aborted");
});
