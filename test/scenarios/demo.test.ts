/** The demo as a person sees it: each event of its history is on a page within two clicks of the overview. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Served, servePages } from "../browser/browser.ts";
import { query } from "../store/kit.ts";
import { fetchPage } from "../support/http.ts";
import { launch } from "../support/program.ts";

/** Runs a demo with nothing but a beginning of its live part, and returns the path of its history. */
async function recordDemo(folder: string, ...options: string[]): Promise<string> {
  const { code } = await launch(["demo", "--seconds", "1", ...options], folder, { HTTP_PORT: "" }).finished;
  expect(code).toBe(0);
  return join(folder, "data", "demo.db");
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "collector-demo-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("demo", () => {
  const folder = mkdtempSync(join(tmpdir(), "collector-demo-"));
  const path = join(folder, "data", "demo.db");
  const pages = new Map<string, string>();
  let served: Served;
  let output = "";

  beforeAll(async () => {
    const { code, stdout } = await launch(["demo", "--seconds", "8"], folder, { HTTP_PORT: "" }).finished;
    expect(code).toBe(0);
    output = stdout;
    served = await servePages(path, () => Date.now());
  });

  afterAll(() => {
    served?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Returns a page, from its address relative to the site. */
  async function page(address: string): Promise<string> {
    const known = pages.get(address);
    if (known !== undefined) return known;
    const text = await (await fetchPage(new URL(address, served.url))).text();
    pages.set(address, text);
    return text;
  }

  const linksOf = (text: string): string[] => [
    ...new Set([...text.matchAll(/href="([^"#]+)[^"]*"/g)].map(([, href = ""]) => href.replaceAll("&amp;", "&"))),
  ];

  /** Returns the pages that are at most two clicks away from the overview and whose address matches. */
  async function within(pattern: RegExp): Promise<string[]> {
    const first = linksOf(await page("./")).filter((href) => !/^(assets|api)\//.test(href));
    const isNear = (href: string) =>
      /^(\.\/|positions|balances|collection|days|reports)(\?account=(main|hedge))?$/.test(href);
    const second = await Promise.all(first.filter(isNear).map(async (href) => linksOf(await page(href))));
    const found = ["./", ...new Set([...first, ...second.flat()])].filter((href) => pattern.test(href));
    return Promise.all(found.slice(0, 40).map(page));
  }

  const health = /^collection$/;
  it.each([
    ["two accounts", /^\.\/$/, />\s*hedge\s*</],
    ["hours in which the machine slept", health, /The machine was asleep/],
    ["HTTP 502 of the exchange, on all feeds as one row", health, /HTTP 502\.[\s\S]{0,200}all (11|23) feeds/],
    [
      "COIN-M alone fails",
      health,
      /main: mix-accounts \(COIN-M\), positions \(COIN-M\)|positions \(COIN-M\), mix-accounts \(COIN-M\)/,
    ],
    [
      "the funding wallet that did not answer",
      health,
      /within the time of the run\.[\s\S]{0,200}hedge: funding-assets/,
    ],
    ["the upgrade of main", health, /upgraded: unified, API v3/],
    ["the drawdown alert, which recovered", health, /▲ fired[\s\S]*drawdown|below its 1-day high/],
    ["the alert of the short that was liquidated", health, /LINKUSDT short[^<]*is no longer listed/],
    ["the short that was liquidated", /^positions/, /LINKUSDT/],
    ["the field that the older version did not know", health, /breakEvenPrice[\s\S]*db replay --dataset positions/],
    ["the open alert of a short close to its liquidation", health, /SOLUSDT short \(isolated, USDT, umcbl\) is \d/],
    ["the short close to its liquidation", /^positions/, /SOLUSDT/],
    ["the coin without a price", /^balances/, /AURUM/],
    ["the stored result of a verification", health, /OK, unaltered/],
  ])("shows %s within two clicks", async (_event, address, text) => {
    const found = await within(address);
    expect(found.length).toBeGreaterThan(0);
    expect(found.some((one) => text.test(one))).toBe(true);
  });

  it("records deposit and withdrawal, an incomplete equity, and one alert that is open", () => {
    const flows = query(
      path,
      "select kind, coin, amount from bills where kind in ('deposit', 'withdrawal') order by at",
    );
    expect(flows.map(({ kind, coin, amount }) => [kind, coin, amount])).toEqual([
      ["deposit", "USDT", "9000.00000000"],
      ["withdrawal", "USDT", "-3998.50000000"],
    ]);
    const incomplete = query(path, "select missing from equity_history where account = 'hedge' and complete = 0");
    expect(incomplete.length).toBe(3);
    const drawdowns = query(path, "select state, sentence from alert_message where kind = 'drawdown' order by id");
    expect(drawdowns.map(({ state, sentence }) => [state, /\(.*\)/.exec(String(sentence))?.[0]])).toEqual([
      ["fired", "(deposits and withdrawals are taken out)"],
      ["recovered", "(deposits and withdrawals are taken out)"],
    ]);
    expect(query(path, "select account, kind from alert")).toEqual([
      { account: "hedge", kind: "liquidation-distance" },
    ]);
  });

  it.each([
    ["as the demo ends", 0],
    ["ten minutes later", 10],
  ])(
    "says of at most two things on a page that they are unknown, of all accounts, lists and months, %s",
    async (_when, minutes) => {
      const later = await servePages(path, () => Date.now() + minutes * 60_000);
      const last = Number(query(path, "select max(slot) as slot from run")[0]?.slot);
      const month = (back: number) => new Date(last - back * 29 * 86_400_000).toISOString().slice(0, 7);
      const all = ["", "positions", "balances", "collection", "reports", "reconciliation"];
      all.push("balances?by=wallet", "performance?by=month", "performance?by=day", "positions?period=all&sort=symbol");
      const own = ["main", "hedge"].flatMap((account) =>
        [...all, ...[0, 1].map((back) => `statement?month=${month(back)}`)].map(
          (one) => `${one}${one.includes("?") ? "&" : "?"}account=${account}`,
        ),
      );
      const paths = [...all, ...own];
      const counts: [path: string, unknown: number][] = [];
      for (const one of paths) {
        const response = await fetchPage(new URL(one, later.url));
        expect([one, response.status]).toEqual([one, 200]);
        const words = (await response.text()).replace(/<(script|style)[\s\S]*?<\/\1>|<[^>]*>/g, " ");
        counts.push([one, words.match(/\bunknown\b/gi)?.length ?? 0]);
      }
      later.close();
      expect(counts.filter(([, count]) => count > 2)).toEqual([]);
    },
  );

  it("says of the sums of a month of how many days they are, because the machine slept over the end of one", async () => {
    const months = /<section id="performance"[\s\S]*?<\/section>/.exec(await page("performance?account=main"))?.[0];
    expect(months).toMatch(/days-known">\d+ of \d+ days/);
  });

  it("has one largest drawdown of 30 days, on the overview and on the page of the performance, across the upgrade", async () => {
    const value = (text: string, before: RegExp) => new RegExp(`${before.source}<data value="([^"]+)"`).exec(text)?.[1];
    for (const account of ["main", "hedge"]) {
      const [overview, own] = [await page(`./?account=${account}`), await page(`performance?account=${account}`)];
      const depth = value(own, /<dt>Largest drawdown, 30 days<\/dt><dd>/);
      expect(Number(depth)).toBeGreaterThan(0);
      expect(value(overview, /<small>max /)).toBe(depth);
    }
    expect(await page("performance?account=main")).toMatch(/without [^<]+ not known<\/small><\/dd>/);
  });

  it("prints the address or that there is none, what to look at, and commands, as text where it is no terminal", () => {
    expect(output).toContain("HTTP_PORT is empty");
    expect(output).toContain("Look at\n  Overview");
    for (const drawn of ["╭", "\u001b"]) expect(output).not.toContain(drawn);
  });
});

const firstSlot = (path: string): unknown => query(path, "select min(slot) as slot from run")[0]?.slot;

/** The views, and when a row of each was recorded. */
const recorded = {
  runs: "scheduled_for",
  ...{ spot_assets_history: "taken_at", funding_assets_history: "taken_at", mix_accounts_history: "taken_at" },
  ...{ positions_history: "taken_at", prices_history: "taken_at", equity_history: "taken_at" },
  ...{ bills: "first_seen_at", fills: "first_seen_at", closed_positions: "first_seen_at" },
  ...{ deposits: "first_seen_at", withdrawals: "first_seen_at" },
};

/** When this machine did something, which is another time in each demo, and the order in which it did. */
const ofMachine =
  /^(taken_at|taken_at_ms|first_seen_at|started_at|finished_at|late_ms|skew_ms|spread_ms|took_ms|snapshot_id|run_id)$/;

/** Returns the rows of a view from before the live part. */
function pastRows(path: string, view: keyof typeof recorded): string[] {
  const [{ live } = {}] = query(
    path,
    "select strftime('%Y-%m-%dT%H:%M:%fZ', max(since) / 1000.0, 'unixepoch') as live from schedule",
  );
  return query(path, `select * from ${view} where ${recorded[view]} < '${live}'`)
    .map((row) => JSON.stringify(Object.entries(row).filter(([name]) => !ofMachine.test(name))))
    .sort();
}

it("two demos of the same hour have the same history, but for the times of the machine that recorded them", async () => {
  let [one, other] = [await recordDemo(temporary()), await recordDemo(temporary())];
  // At the turn of an hour the second one begins an hour later, and everything in it.
  while (firstSlot(one) !== firstSlot(other)) [one, other] = [other, await recordDemo(temporary())];
  for (const view of Object.keys(recorded) as (keyof typeof recorded)[]) {
    const [rows, again] = [pastRows(one, view), pastRows(other, view)];
    expect([view, rows.length]).toEqual([view, again.length]);
    expect(rows.length).toBeGreaterThan(0);
    expect([view, ...rows.filter((row, at) => row !== again[at]).slice(0, 3)]).toEqual([view]);
  }
});

it("demo --clean has one account, of which nothing is missing, and no alerts", async () => {
  const path = await recordDemo(temporary(), "--clean");
  const [{ since } = {}] = query(path, "select max(since) as since from schedule");
  const past = (sql: string) => query(path, `${sql} and scheduled_for_ms < ${since}`);
  expect(query(path, "select name from account where name <> 'public'")).toEqual([{ name: "main" }]);
  expect(past("select distinct state from runs where true")).toEqual([{ state: "ok" }]);
  expect(past("select count(*) as runs from runs where dataset = 'equity'")).toEqual([{ runs: 30 * 24 }]);
  expect(query(path, `select * from gaps where from_at_ms < ${since}`)).toEqual([]);
  expect(query(path, "select min(complete) as complete from equity_history")).toEqual([{ complete: 1 }]);
  expect(query(path, "select kind from alert union all select kind from alert_message")).toEqual([]);
});
