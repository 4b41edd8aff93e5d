/** The demo as a person sees it: each event of its history is on a page within two clicks of the overview. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Served, servePages } from "../browser/browser.ts";
import { query } from "../store/kit.ts";
import { fetchPage } from "../support/http.ts";
import { launch } from "../support/program.ts";

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
    ["HTTP 502 of the exchange, on all feeds as one row", health, /HTTP 502\.[\s\S]{0,200}all 11 feeds/],
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
