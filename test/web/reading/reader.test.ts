import { renameSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { expect, it, onTestFinished, vi } from "vitest";
import { pause } from "../../../src/core/async/cooperate.ts";
import { spotAssets } from "../../../src/datasets/snapshots/spot-assets.ts";
import { Reader } from "../../../src/web/reading/reader.ts";
import { storeAt } from "../../store/kit.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { until } from "../../support/wait.ts";

const always = { from: 0, to: Number.MAX_SAFE_INTEGER };

async function startReader(timeoutSeconds = 10) {
  const path = temporaryPath();
  await open(path);
  const reader = new Reader(path, timeoutSeconds);
  onTestFinished(() => reader.close());
  return reader;
}

/** Blocks this thread for some milliseconds. */
function work(ms: number): typeof pause {
  for (const end = performance.now() + ms; performance.now() < end; );
  return pause;
}

it("returns the result of a query, also after one that failed", async () => {
  const reader = await startReader();
  expect(await reader.read((history) => history.accounts())).toEqual([]);
  await expect(
    reader.read((history) => [...history.latestChanges(spotAssets, "main", { size: "1" }, always)]),
  ).rejects.toThrow("spot-assets: size");
  expect(await reader.read(() => "still there")).toBe("still there");
});

it("reads the replaced file, also after a query that began before the replacement", async () => {
  const [path, other] = [temporaryPath(), temporaryPath()];
  (await storeAt(path)).close();
  const store = await storeAt(other);
  await store.setSchedule("main", "equity", "* * * * *", 0);
  store.close();
  const reader = new Reader(path, 10);
  onTestFinished(() => reader.close());
  let answer = () => {};
  const before = reader.read(async (history) => {
    const accounts = history.accounts();
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return accounts;
  });
  await until(() => answer.length === 1);
  renameSync(other, path);
  expect(await reader.read((history) => history.accounts())).toEqual(["main"]);
  answer();
  expect(await before).toEqual([]);
  for (const _ of [1, 2]) expect(await reader.read((history) => history.accounts())).toEqual(["main"]);
});

it("yields to other requests between the steps of long work", async () => {
  const reader = await startReader();
  const ended: string[] = [];
  const long = reader.readInSteps(function* () {
    for (let step = 0; step < 20; step += 1) yield work(20);
    ended.push("long");
  });
  const short = reader.read(() => void ended.push("short"));
  await Promise.all([long, short]);
  expect(ended).toEqual(["short", "long"]);
});

it("pauses what is read in advance while a page is read, and continues after it", async () => {
  const reader = await startReader();
  const seen: string[] = [];
  let isLate = false;
  const page = reader.readInSteps(function* () {
    while (!isLate) yield work(5);
    seen.push("page");
  });
  const advance = reader.readInAdvance(function* () {
    for (let step = 0; step < 5; step += 1) {
      seen.push("advance");
      yield work(20);
    }
  });
  await sleep(200);
  isLate = true;
  await Promise.all([page, advance]);
  // Its first turn begins before it looks.
  expect(seen).toEqual(["advance", "page", ...Array(4).fill("advance")]);
});

it("ends what is read in advance when pages are read all the time", async () => {
  const reader = await startReader(1);
  let isOver = false;
  async function visit() {
    while (!isOver)
      await reader.readInSteps(function* () {
        for (let step = 0; step < 20; step += 1) yield work(5);
      });
  }
  const visits = Promise.all([visit(), visit()]);
  const advance = reader.readInAdvance(function* () {
    for (;;) yield work(5);
  });
  await expect(advance).rejects.toThrow("took longer than 1 s");
  isOver = true;
  await visits;
});

it("ends what is read in advance when it is closed, and then has no file open", async () => {
  const reader = await startReader();
  const close = vi.spyOn(Database.prototype, "close");
  onTestFinished(() => close.mockRestore());
  const advance = reader.readInAdvance(function* () {
    for (;;) yield work(5);
  });
  const page = reader.readInSteps(function* () {
    for (let step = 0; step < 10; step += 1) yield work(5);
    return "read";
  });
  await sleep(20);
  reader.close();
  await expect(advance).rejects.toThrow("the reader is closed");
  expect(await page).toBe("read");
  expect(close).toHaveBeenCalledTimes(2);
});

it("ends work that takes too long, and closes what it had open", async () => {
  const reader = await startReader(1);
  let closed = false;
  const endless = reader.readInSteps(function* () {
    try {
      for (;;) yield work(5);
    } finally {
      closed = true;
    }
  });
  await expect(endless).rejects.toThrow("This page took longer than 1 s; choose a shorter span.");
  expect(closed).toBe(true);
});

it("produces a download only as it is read", async () => {
  const reader = await startReader();
  let made = 0;
  let closed = false;
  const stream = await reader.stream(function* () {
    try {
      for (;;) {
        made += 1;
        yield "x".repeat(1000);
      }
    } finally {
      closed = true;
    }
  });
  await sleep(50);
  expect(made).toBeLessThanOrEqual(66);
  const taker = stream.getReader();
  for (let count = 0; count < 10; count += 1) await taker.read();
  expect(made).toBeLessThanOrEqual(11 * 66);
  await taker.cancel();
  expect(closed).toBe(true);
});

it("returns every line of a download, and fails before anything is sent", async () => {
  const reader = await startReader();
  const stream = await reader.stream(function* () {
    for (let row = 0; row < 50_000; row += 1) yield row % 10 === 9 ? pause : `${row},ü\n`;
  });
  const text = await new Response(stream).text();
  expect(text.split("\n")).toHaveLength(45_001);
  expect(text.endsWith("49998,ü\n")).toBe(true);
  // biome-ignore lint/correctness/useYield: it throws first
  const failing = reader.stream(function* () {
    throw new Error("no such column");
  });
  await expect(failing).rejects.toThrow("no such column");
});

it("processes 32 downloads at a time, another when one is cancelled, and rejects after the timeout", async () => {
  const reader = await startReader(1);
  function* endless() {
    for (;;) yield "x".repeat(70_000);
  }
  const first = await Promise.all(Array.from({ length: 32 }, () => reader.stream(endless)));
  await expect(reader.stream(endless)).rejects.toThrow("Too many requests at the same time");
  const next = reader.stream(endless);
  await first[0]?.cancel();
  const taken = await (await next).getReader().read();
  expect(taken.value?.length).toBe(70_000);
  for (const stream of first.slice(1)) await stream.cancel();
});
