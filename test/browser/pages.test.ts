/** Tests the dashboard in a real browser. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { Secret } from "../../src/core/domain.ts";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { equityRow, storeRun } from "../reports/kit.ts";
import { query, storeAt } from "../store/kit.ts";
import { startReverseProxy } from "../support/reverse-proxy.ts";
import { until } from "../support/wait.ts";
import {
  type Browser,
  fortnightDays as days,
  drawn,
  findChromium,
  fortnight,
  type Served,
  servePages,
  startBrowser,
} from "./browser.ts";

const executablePath = findChromium();
if (!executablePath)
  console.warn("No Chromium was found (CHROMIUM_PATH or PATH): the tests in a browser are left out.");

const hour = 3_600_000;
const end = Date.UTC(2026, 9, 1 + days);
const paths = [
  "/",
  "/performance",
  "/performance?by=day&span=all",
  "/positions",
  "/balances",
  "/balances?by=wallet",
  "/collection",
  "/collection?day=2026-10-05",
  "/reconciliation",
  "/reports?preview=equity",
  "/statement?account=main&month=2026-10",
];

describe.skipIf(!executablePath)("in a browser", () => {
  const folder = mkdtempSync(join(tmpdir(), "collector-pages-"));
  const path = join(folder, "collector.db");
  let now = end + 60_000;
  let served: Served;
  let browser: Browser;

  beforeAll(async () => {
    copyFileSync(await fortnight(), path);
    served = await servePages(path, () => now);
    browser = await startBrowser(executablePath ?? "");
  });

  afterAll(async () => {
    await browser?.close();
    served?.close();
    rmSync(folder, { recursive: true });
  });

  const at = (path: string): string => new URL(path, served.url).href;
  const rows = (sql: string) => query(path, sql);
  const valuesOf = (page: Page, selector: string) =>
    page.locator(`${selector} data`).evaluateAll((found) => found.map((one) => one.getAttribute("value")));

  it("loads every page without errors, and requests no other host", async () => {
    const { page, problems, hosts } = await browser.open("about:blank");
    for (const path of paths) {
      await page.goto(at(path));
      if (path === "/") await drawn(page);
      expect([path, problems]).toEqual([path, []]);
    }
    expect([...hosts]).toEqual([new URL(served.url).host]);
  });

  it("works below a path of a proxy, from the login to the chart and live updates", async () => {
    const closed = await servePages(path, () => now, new Secret("a-token-of-the-pages"));
    onTestFinished(() => closed.close());
    const proxy = await startReverseProxy(Number(new URL(closed.url).port));
    const { page, context, problems } = await browser.open(`${proxy.url}api/gaps`);
    // The page asked for the token first.
    expect(problems.splice(0)).toEqual([expect.stringContaining("401")]);
    await page.fill("#token", "a-token-of-the-pages");
    await page.click("button");
    await page.waitForURL(proxy.url);
    await drawn(page);
    await page.getByText("Connected; this page updates itself.").waitFor();
    for (const name of ["Positions", "Balances", "Reports", "Data health", "Overview"]) {
      await page.getByRole("navigation").getByRole("link", { name }).click();
      await page.getByRole("heading", { level: 1 }).waitFor();
    }
    await page.getByRole("link", { name: "Yesterday's close" }).click();
    await page.getByText("Viewing").waitFor();
    expect(new URL(page.url()).pathname).toBe("/bitget/");
    expect((await context.cookies(proxy.url)).map(({ name, path }) => [name, path])).toEqual([
      ["collector_login", "/bitget"],
    ]);
    expect(problems).toEqual([]);
    expect(proxy.other.filter((one) => one !== "/favicon.ico")).toEqual([]);
  });

  it.each(["", "?at=2026-10-05T12:00:00Z"])("shows what is being read when it is read (%s)", async (query) => {
    const { page } = await browser.open("about:blank");
    let requests = 0;
    await page.route(
      ({ pathname }) => pathname === "/performance",
      async (route) => {
        requests += 1;
        const response = await route.fetch();
        const text = (await response.text()).replace(
          /(Largest drawdown[^<]*<\/dt><dd>)[\s\S]*?<\/dd>/,
          "$1<span data-reading>being read…</span></dd>",
        );
        await route.fulfill({ response, ...(requests < 3 ? { body: text } : {}) });
      },
    );
    await page.goto(at(`/performance${query}`));
    await page.getByText("being read…").waitFor();
    await until(() => requests === 3);
    await page.getByText("being read…").waitFor({ state: "detached" });
  });

  it("shows the figures that are in the database", async () => {
    const { page } = await browser.open(at("/?account=main"));
    const [latest] = rows("select usdt_equity from equity_latest where account = 'main'");
    expect((await valuesOf(page, ".equity"))[0]).toBe(latest?.usdt_equity);
    await page.goto(at("/positions?account=main"));
    const open = rows("select unrealized_pl, mark_price from positions_latest where account = 'main'");
    const shown = await valuesOf(page, "#positions");
    for (const { unrealized_pl, mark_price } of open)
      expect(shown).toEqual(expect.arrayContaining([unrealized_pl, mark_price]));
    await page.goto(at("/balances?by=wallet&account=main"));
    const held = rows("select available from spot_assets_latest where account = 'main'").map(
      ({ available }) => available,
    );
    expect(await valuesOf(page, "#balances")).toEqual(expect.arrayContaining(held));
  });

  it("shows every digit after the key e, also on the next page and in this browser's next visit", async () => {
    const { page } = await browser.open(at("/balances?by=wallet"));
    const texts = () => page.locator("#balances data").allTextContents();
    const cut = await texts();
    await Promise.all([page.waitForURL(/digits=all/), page.keyboard.press("e")]);
    const exact = await texts();
    expect(exact.join().length).toBeGreaterThan(cut.join().length);
    await page.goto(at("/positions"));
    await page.waitForURL(/digits=all/);
    await Promise.all([page.waitForURL((url) => !url.search.includes("digits")), page.keyboard.press("e")]);
    await page.goto(at("/balances?by=wallet"));
    expect(await texts()).toEqual(cut);
  });

  it("shows the state at a selected time, in the time zone of the site", async () => {
    const { page } = await browser.open(at("/balances?by=wallet&account=main"));
    await page.getByText("Now", { exact: true }).first().click();
    await page.getByLabel("Date", { exact: true }).fill("2026-10-03T14:00");
    await page.getByRole("button", { name: "Go", exact: true }).click();
    await page.getByText("Viewing").waitFor();
    const [then] = rows(
      `select available from spot_assets_history where account = 'main' and coin = 'BTC' and taken_at <= '2026-10-03T12:00:00'
       order by taken_at desc limit 1`,
    );
    expect(await valuesOf(page, "#balances")).toContain(then?.available);
    await page.getByRole("link", { name: "Positions" }).click();
    expect(await page.locator(".instant time").getAttribute("datetime")).toBe("2026-10-03T12:00:00Z");
  });

  it("downloads a table as CSV with the same digits", async () => {
    const { page } = await browser.open(at("/balances?by=wallet&account=main"));
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "CSV of Balances by wallet" }).click(),
    ]);
    const saved: Record<string, string>[] = parse(readFileSync(await download.path(), "utf8"), { columns: true });
    const held = rows("select coin, available from spot_assets_latest where account = 'main' order by coin");
    const spot = saved.filter(({ wallet }) => wallet === "spot").map(({ coin, available }) => ({ coin, available }));
    expect(download.suggestedFilename()).toBe("balances.csv");
    expect(spot.sort((a, b) => (String(a.coin) < String(b.coin) ? -1 : 1))).toEqual(held);
  });

  it("links from a position to its summary, and from a coin to its history", async () => {
    const { page, problems } = await browser.open(at("/positions?account=main"));
    await page.locator("#episodes tbody a").first().click();
    await drawn(page);
    expect(await page.locator("#summary").textContent()).toContain("Closed");
    await page.goto(at("/balances?by=wallet&account=main"));
    await page.locator("#balances tbody a").first().click();
    await drawn(page);
    expect(problems).toEqual([]);
  });

  it("is as wide as the window, from a phone to a desktop", async () => {
    const { page } = await browser.open(at("/"), {
      viewport: { width: 390, height: 844 },
      isMobile: true,
      hasTouch: true,
    });
    for (const path of [...paths, ...["/", "/positions", "/performance"].map((path) => `${path}?digits=all`)]) {
      await page.goto(at(path));
      for (const width of [1440, 1280, 1024, 768, 390, 320]) {
        await page.setViewportSize({ width, height: 844 });
        const wide = () => page.evaluate("document.documentElement.scrollWidth");
        await expect.poll(wide, { message: `${path}, ${width} px` }).toBeLessThanOrEqual(width);
      }
    }
  });

  it("scrolls nothing sideways on a phone but tables, each in its own box", async () => {
    const { page } = await browser.open(at("/"), { viewport: { width: 390, height: 844 } });
    const wider = async (path: string, width: number) => {
      await page.setViewportSize({ width, height: 844 });
      const found: string[] = await page.evaluate(`
        [...document.querySelectorAll("*")]
          .filter((one) => one.scrollWidth > one.clientWidth && one.checkVisibility())
          .filter((one) => one === document.documentElement || /auto|scroll/.test(getComputedStyle(one).overflowX))
          .filter(({ children: [first, ...others] }) => first?.tagName !== "TABLE" || others.length > 0)
          .map((one) => one.outerHTML.slice(0, 100))`);
      return found.map((one) => `${path}, ${width} px: ${one}`);
    };
    const found: string[] = [];
    for (const path of paths.filter((one) => !one.startsWith("/performance"))) {
      await page.goto(at(path));
      found.push(...(await wider(path, 390)), ...(await wider(path, 320)));
    }
    // A statement that is a file has no styles but its own, which the policy of the site would not allow.
    await page.goto("about:blank");
    await page.setContent(await (await fetch(at("/reports/statement.html?account=main&month=2026-10"))).text());
    found.push(...(await wider("statement.html", 390)), ...(await wider("statement.html", 320)));
    expect(found).toEqual([]);
  });

  it("answers on the first screen what was made, what can hurt, and how old the data is", async () => {
    const answers = [
      ...[".equity data", ".equity .age", "#attention h2 small", "#positions tbody tr:first-child .figure"],
      ...["Today", "7 days", "30 days", "Unrealised", "Drawdown, 30 days"].map(
        (label) => `.tiles li:has(a:text-is("${label}")) .value`,
      ),
      "#positions tbody tr:first-child small:has-text('distance')",
    ];
    for (const [width, height, screens] of [
      [1280, 900, 1],
      [390, 844, 2],
    ] as const) {
      const { page } = await browser.open(at("/"), { viewport: { width, height } });
      await drawn(page);
      for (const answer of answers) {
        const box = await page.locator(answer).first().boundingBox();
        expect([answer, box === null || box.y + box.height > screens * height]).toEqual([answer, false]);
      }
    }
  });

  it("shows positions on four screens of a phone, and no table wider than its card", async () => {
    const { page } = await browser.open(at("/positions"), { viewport: { width: 390, height: 844 } });
    expect(await page.evaluate("document.documentElement.scrollHeight")).toBeLessThanOrEqual(4 * 844);
    for (const path of ["/", "/positions", "/positions?period=all&sort=-net", "/balances"]) {
      await page.goto(at(path));
      for (const width of [320, 390, 640, 737, 1009, 1024, 1152, 1153, 1280, 1440]) {
        await page.setViewportSize({ width, height: 844 });
        const wide = () =>
          page
            .locator("section, .rows")
            .evaluateAll((all) =>
              all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.closest("section")?.id),
            );
        // A curve is drawn again for its new width.
        await expect.poll(wide, { message: `${path}, ${width} px` }).toEqual([]);
      }
    }
  });

  it("selects closed positions by the form, without a script, and shows the last closed first", async () => {
    const { page } = await browser.open(at("/positions"), { javaScriptEnabled: false });
    await page.getByLabel("Closed in").selectOption("all");
    await page.getByLabel("Side").selectOption("short");
    await page.getByRole("button", { name: "Apply" }).click();
    expect(page.url()).toContain("hold_side=short");
    expect(new Set(await page.locator("#episodes tbody .side").allTextContents())).toEqual(new Set(["short"]));
    const times = await page
      .locator("#episodes tbody td.more time")
      .evaluateAll((all) => all.map((one) => one.getAttribute("datetime") ?? ""));
    expect(times.length).toBeGreaterThan(3);
    expect(times).toEqual([...times].sort().reverse());
  });

  it("can be used with the keyboard alone", async () => {
    const { page } = await browser.open(at("/"));
    await drawn(page);
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement?.textContent")).toBe("Skip to content");
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate("document.activeElement?.className === 'plot'")) break;
    }
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    expect(await page.locator(".reading").textContent()).toMatch(/Oct 2026.*Total [\d,.]+/);
    await page.keyboard.press("+");
    await drawn(page, 2);
  });

  it("labels everything for screen readers", async () => {
    const { page } = await browser.open(at("/positions"));
    const tree = await page.locator("body").ariaSnapshot();
    expect(tree).toContain('navigation "Pages"');
    expect(tree).toContain('table "Open');
    expect(tree).toContain('columnheader "Liquidation"');
    expect(tree).toContain("meter");
  });

  it("works without JavaScript", async () => {
    const { page } = await browser.open(at("/"), { javaScriptEnabled: false });
    expect(await page.locator("#headline").textContent()).toContain("Equity");
    expect(await page.locator(".controls").first().isVisible()).toBe(false);
    await page.getByRole("link", { name: "Daily values as a table" }).click();
    expect(await page.locator("#performance tbody tr").count()).toBeGreaterThanOrEqual(days);
  });

  it("marks data as stale without new data, and shows when the server does not answer", async () => {
    const { page } = await browser.open("about:blank");
    await page.clock.install();
    await page.goto(at("/?account=main"));
    await drawn(page);
    expect(await page.locator(".age").first().isVisible()).toBe(true);
    now += 3 * hour;
    await page.clock.fastForward(61_000);
    await page.locator(".equity .last-known").waitFor();
    expect(await page.locator(".pill").textContent()).toMatch(/▲ Stale 4 h/);
    expect(await page.locator("#banner").textContent()).toContain("feeds are stale");
    expect(await page.locator("link[rel=icon]").getAttribute("href")).toBe("assets/header/icon-stale.svg");
    now = end + 60_000;
    await page.route("**/live", (route) => route.abort());
    await page.reload();
    await page.getByText("Page offline").waitFor();
    expect(await page.locator(".age").first().isVisible()).toBe(false);
    expect(await page.locator("#live").boundingBox()).toMatchObject({ x: 0 });
  });

  // These run last because they add to the history.
  it("shows new data without a reload", async () => {
    const { page } = await browser.open(at("/?account=main"));
    await drawn(page);
    const store = await storeAt(path);
    now = end + hour + 60_000;
    await storeRun(store, equity, end + hour, [equityRow("123456789012.000000000000000789")]);
    store.close();
    await page.locator('.equity data[value="123456789012.000000000000000789"]').waitFor();
    await drawn(page, 2);
    await page.setViewportSize({ width: 390, height: 844 });
    await expect.poll(() => page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
  });

  it("keeps the scroll position and the focus of the calendar on updates", async () => {
    const { page } = await browser.open(at("/collection"), { viewport: { width: 390, height: 844 } });
    const calendar = page.getByRole("region", { name: "Calendar" });
    await calendar.focus();
    await calendar.evaluate((region) => region.scrollTo(120, 0));
    const store = await storeAt(path);
    await storeRun(store, equity, end + 2 * hour, [equityRow("2")]);
    store.close();
    now = end + 2 * hour + 60_000;
    await expect.poll(() => page.locator("#collection").textContent()).toContain("05:00:00");
    expect(await calendar.evaluate((region) => [region.scrollLeft, region.matches(":focus")])).toEqual([120, true]);
  });

  it("does not execute markup in the name of a coin", async () => {
    const store = await storeAt(path);
    const coin = `<img src=x onerror="document.title='run'">`;
    await storeRun(store, spotAssets, end + hour, [{ coin, available: "1", frozen: "0", locked: "0" }]);
    store.close();
    const { page, problems } = await browser.open(at("/balances?by=wallet&account=main"));
    expect(await page.locator("#balances").textContent()).toContain(coin);
    await page.locator("#balances").getByRole("link", { name: coin }).click();
    await drawn(page);
    expect(await page.title()).toContain(coin);
    expect(await page.locator("main img").count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
