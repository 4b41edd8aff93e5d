/** `runs` and `gaps`, and the time zone of what reading commands show. */
import { dirname } from "node:path";
import { beforeEach, expect, it } from "vitest";
import type { Command } from "../../../src/commands/command.ts";
import { status } from "../../../src/commands/read/status.ts";
import { gapsCommand } from "../../../src/commands/runs/gaps.ts";
import { runsCommand } from "../../../src/commands/runs/runs.ts";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { collect, failed, good, item, minute, start, storeAt } from "../../store/kit.ts";
import { spotAssets } from "../../store/minutes.ts";
import { temporaryPath } from "../../store/temporary.ts";
import { runInProcess } from "../../support/in-process.ts";

let path: string;

/** At midnight of 1 November 2026, UTC: a good run, two failed ones, a missed one; and one of another dataset and account. */
beforeEach(async () => {
  path = temporaryPath();
  const store = await storeAt(path);
  await store.setSchedule("main", "spot-assets", "* * * * *", start - minute);
  const coin = item(spotAssets, { coin: "BTC", available: "1.5", frozen: "0", locked: "0" });
  await collect(store, spotAssets, start, { snapshots: [good([coin], start)] });
  for (const slot of [start + minute, start + 2 * minute])
    await collect(store, spotAssets, slot, { failures: [failed("network", slot)] });
  await store.closeSlots("main", "spot-assets", [{ slot: start + 3 * minute, state: "missed", cause: "asleep" }]);
  const positions = snapshotDatasetNamed("positions");
  await collect(store, positions, start, { snapshots: [good([], start, "umcbl")] }, "hedge");
  store.close();
});

/** Runs a command; returns its exit code, its lines with " | " between columns, and stderr. */
async function lines(...args: string[]) {
  const { code, stdout, stderr } = await runInProcess(args, dirname(path), { DATABASE_URL: `file:${path}` });
  return {
    code,
    stderr,
    lines: stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.replaceAll(/ {2,}/g, " | ")),
  };
}

it("runs lists each slot with its state and cause, the newest last", async () => {
  expect(await lines("runs", "--dataset", "spot-assets")).toEqual({
    code: 0,
    stderr: "",
    lines: [
      "account | dataset | scheduled_for (UTC) | state | cause | late_ms | requests | retries | rows",
      "main | spot-assets | 2026-11-01 00:00:00 | ok | 20 | 1 | 0 | 1",
      "main | spot-assets | 2026-11-01 00:01:00 | failed | network | 20 | 1 | 0 | 0",
      "main | spot-assets | 2026-11-01 00:02:00 | failed | network | 20 | 1 | 0 | 0",
      "main | spot-assets | 2026-11-01 00:03:00 | missed | asleep | 0 | 0 | 0",
    ],
  });
});

/** Runs a command on a terminal of this width; returns the lines of its results, and stderr. */
async function onTerminal(command: Command, width: number) {
  const found: string[] = [];
  const errors: string[] = [];
  await command.run({
    ...{ args: [], options: {}, env: { DATABASE_URL: `file:${path}` }, isTerminal: true, isColoured: false, width },
    print: (line) => void found.push(line),
    async write(text) {
      found.push(...text.trimEnd().split("\n"));
      return true;
    },
    printError: (line) => void errors.push(line),
  });
  return { lines: found, stderr: errors.join("\n") };
}

it("a narrow terminal has fewer columns of runs, gaps and status, or records, and no line is too long", async () => {
  expect(await onTerminal(runsCommand, 40)).toMatchObject({
    lines: expect.arrayContaining(["scheduled_for (UTC)  2026-11-01 00:03:00", "state                missed"]),
    stderr: "",
  });
  expect(await onTerminal(runsCommand, 60)).toMatchObject({
    lines: expect.arrayContaining(["main     spot-assets  2026-11-01 00:03:00  missed  asleep"]),
    stderr: "+4 columns: a wider terminal, or --wide",
  });
  const shown = await onTerminal(status, 40);
  expect(shown.stderr).toBe("+5 columns in a wider terminal");
  expect(shown.lines).toContain("account  dataset      state  age");
  for (const line of shown.lines.slice(0, 5)) expect(line.length).toBeLessThanOrEqual(40);
  for (const command of [runsCommand, gapsCommand])
    for (const width of [40, 60, 80])
      for (const line of (await onTerminal(command, width)).lines) expect(line.length).toBeLessThanOrEqual(width);
  expect((await onTerminal(runsCommand, 200)).stderr).toBe("");
});

it.each([
  [["--state", "failed", "--limit", "1"], ["main,spot-assets,2026-11-01T00:02:00.000Z"]],
  [["--account", "hedge"], ["hedge,positions,2026-11-01T00:00:00.000Z"]],
  [
    ["--from", "2026-11-01T01:02", "--timezone", "Europe/Berlin"],
    ["main,spot-assets,2026-11-01T00:02:00.000Z", "main,spot-assets,2026-11-01T00:03:00.000Z"],
  ],
  [["--to", "2026-11-01T00:00Z"], []],
])("runs %j", async (options, expected) => {
  const { lines: all } = await lines("runs", ...options, "--format", "csv");
  expect(all.slice(1).map((line) => line.split(",").slice(1, 4).join(","))).toEqual(expected);
});

it("gaps lists each stretch once", async () => {
  expect(await lines("gaps", "--timezone", "Asia/Tokyo")).toMatchObject({
    code: 0,
    lines: [
      expect.stringMatching(
        /^account \| dataset \| product_type \| from_at \(Asia\/Tokyo\) \| to_at \(Asia\/Tokyo\) \| slots \| cause/,
      ),
      expect.stringMatching(/^main \| spot-assets \| 2026-11-01 09:01:00 \| 2026-11-01 09:02:00 \| 2 \| network/),
      expect.stringMatching(/^main \| spot-assets \| 2026-11-01 09:03:00 \| 2026-11-01 09:03:00 \| 1 \| asleep/),
    ],
  });
  expect((await lines("gaps", "--from", "2026-11-01T00:03Z", "--format", "csv")).lines).toHaveLength(2);
  expect((await lines("gaps", "--account", "hedge")).stderr).toBe("No gaps match these options.\n");
});

it.each([
  [["runs", "--state", "broken"], "unknown --state"],
  [["runs", "--dataset", "postions"], "did you mean positions?"],
  [["gaps", "--account", "nobody"], "has no history"],
  [["gaps", "positions"], "too many arguments"],
  [["gaps", "--timezone", "JST"], "use a full name such as Asia/Tokyo"],
])("%j is a usage error", async (args, text) => {
  expect(await lines(...args)).toMatchObject({ code: 64, stderr: expect.stringContaining(text) });
});

it("history shows and reads times in the time zone", async () => {
  const { lines: shown } = await lines("history", "spot-assets", "--timezone", "Europe/Berlin", "--from", "2026-11-01");
  expect(shown).toEqual([
    "account | taken_at (Europe/Berlin) | coin | available | frozen | locked",
    "main | 2026-11-01 01:00:00 | BTC | 1.5 | 0 | 0",
  ]);
  expect((await lines("status", "--timezone", "Asia/Tokyo")).lines.join()).toContain("last success (Asia/Tokyo)");
});
