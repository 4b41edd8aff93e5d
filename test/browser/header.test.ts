/** Tests the header and the pages of errors in a real browser. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { btc, equityRow, scheduleAll, storeRun } from "../reports/kit.ts";
import { minute, start, storeAt } from "../store/kit.ts";
import { type Browser, findChromium, type Served, servePages, startBrowser } from "./browser.ts";

const executablePath = findChromium();
const day = 1440;

describe.skipIf(!executablePath)("the header", () => {
  const folder = mkdtempSync(join(tmpdir(), "collector-header-"));
  const path = join(folder, "collector.db");
  let served: Served;
  /** Without a collector. */
  let stopped: Served;
  let browser: Browser;

  beforeAll(async () => {
    const store = await storeAt(path);
    for (const account of ["main", "an account with a long name"]) {
      await scheduleAll(store, "* * * * *", start - minute, account);
      for (const at of [1, day - 1, 2 * day]) {
        await storeRun(store, spotAssets, start + at * minute, [btc("1")], null, account);
        await storeRun(store, equity, start + at * minute, [equityRow("78155.765414628799")], null, account);
      }
    }
    store.close();
    const now = () => start + 2 * day * minute + 3000;
    served = await servePages(path, now);
    stopped = await servePages(path, now, null, null);
    browser = await startBrowser(executablePath ?? "");
  });

  afterAll(async () => {
    await browser?.close();
    served?.close();
    stopped?.close();
    rmSync(folder, { recursive: true });
  });

  const at = (path: string): string => new URL(path, served.url).href;
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

  it.each([
    ["a laptop", {}, 1280],
    ["a phone", phone, 390],
  ])(
    "is one row of 52 pixels with at most six stops of the tab key before the content, on %s",
    async (_, options, width) => {
      const { page } = await browser.open(at("/"), options);
      for (const path of [
        "/",
        "/positions",
        "/collection",
        "/nowhere",
        "/nowhere/deep/down",
        "/balances?at=2026-11-02T12:00",
        new URL("/", stopped.url).href,
        new URL("/?at=2026-11-02T12:00", stopped.url).href,
      ]) {
        await page.goto(at(path));
        expect(await page.locator("header").evaluate((one) => one.getBoundingClientRect().height), path).toBe(52);
        expect(await page.evaluate("document.documentElement.scrollWidth"), path).toBe(width);
        expect(await page.getByRole("navigation").getByRole("link", { name: "Positions" }).isVisible()).toBe(true);
        const name = await page.locator(".account .name").boundingBox();
        expect(name?.width, path).toBeGreaterThan(30);
        const parts = await page.locator("header > :not(nav), .account summary, nav a").evaluateAll((all) =>
          all
            .map((one) => one.getBoundingClientRect())
            // The pages are at the bottom of a phone.
            .filter(({ top, width }) => top < 52 && width > 0)
            .map(({ left, right }) => [left, right]),
        );
        const sorted = parts.sort(([a = 0], [b = 0]) => a - b);
        // The summary of the menu is inside the menu.
        const overlaps = sorted.filter(([left = 0, right = 0], n) => {
          const [nextLeft = Number.POSITIVE_INFINITY] = sorted[n + 1] ?? [];
          return nextLeft !== left && right > nextLeft + 0.5;
        });
        expect(overlaps, path).toEqual([]);
        const isBefore = "document.activeElement.compareDocumentPosition(document.querySelector('main')) === 4";
        let stops = 0;
        for (; stops < 20; stops += 1) {
          await page.keyboard.press("Tab");
          if (!(await page.evaluate(isBefore))) break;
        }
        expect(stops, path).toBeGreaterThan(3);
        expect(stops, path).toBeLessThanOrEqual(6);
      }
    },
  );

  it.each([390, 320])("has all pages in one bar at the foot of a phone of %d px, without scrolling", async (width) => {
    const { page } = await browser.open(at("/"), { ...phone, viewport: { width, height: 844 } });
    const links = page.getByRole("navigation").getByRole("link");
    for (const path of ["/", "/performance", "/collection"]) {
      await page.goto(at(path));
      const boxes = await page.evaluate(`[...document.querySelectorAll("nav a")].map((one) => {
        const text = document.createRange();
        text.selectNodeContents(one);
        const [{ left, right, top, bottom }, words] = [one.getBoundingClientRect(), text.getBoundingClientRect()];
        return {
          name: one.textContent,
          isInBar: left >= 0 && right <= innerWidth && top >= innerHeight - 53 && bottom <= innerHeight,
          hasRoom: words.left >= left && words.right <= right && words.top >= top && words.bottom <= bottom,
          isWide: right - left >= 40,
        };
      })`);
      const names = ["Overview", "Positions", "Balances", "Performance", "Reports", "Data health"];
      expect(boxes, path).toEqual(names.map((name) => ({ name, isInBar: true, hasRoom: true, isWide: true })));
    }
    await page.goto(at("/"));
    await links.last().click();
    await page.waitForURL(/collection/);
  });

  it("moves within the pages by the arrow keys", async () => {
    const { page } = await browser.open(at("/positions"));
    for (const key of ["Tab", "Tab", "ArrowRight"]) await page.keyboard.press(key);
    await Promise.all([page.waitForURL(/balances/), page.keyboard.press("Enter")]);
  });

  it("leads to yesterday's close in one click, back by days, and to another account on the same page", async () => {
    const { page } = await browser.open(at("/balances"));
    await page.getByRole("link", { name: "Yesterday's close" }).click();
    await page.getByText("Viewing 2026-11-02 23:59:59").waitFor();
    await page.getByRole("link", { name: "A day earlier" }).click();
    await page.getByText("Viewing 2026-11-01 23:59:59").waitFor();
    await page.locator(".account summary").click();
    await page.getByRole("link", { name: "main", exact: true }).click();
    await page.waitForURL(/account=main/);
    expect(page.url()).toContain("/balances?");
    expect(page.url()).toContain("at=2026-11-01T22%3A59%3A59.999Z");
    for (let step = 0; step < 2; step += 1) await page.locator(".step").last().click();
    await page.waitForURL((url) => !url.search.includes("at="));
  });

  it("closes its menus by Escape, and by a click elsewhere", async () => {
    const { page } = await browser.open(at("/balances"));
    const isOpen = () => page.locator("details[open]").count();
    await page.locator(".account summary").click();
    expect(await isOpen()).toBe(1);
    await page.keyboard.press("Escape");
    expect(await isOpen()).toBe(0);
    await page.locator(".date summary").click();
    await page.locator("h1").click();
    expect(await isOpen()).toBe(0);
  });

  it("names what the tab shows, and the state of collecting, which counts on", async () => {
    const { page } = await browser.open(at("/?account=main"));
    expect(await page.title()).toBe("78,155.76 · Overview · main");
    expect(await page.locator("link[rel=icon]").getAttribute("href")).toBe("assets/header/icon-stale.svg");
    await page.goto(at("/collection"));
    expect(await page.title()).toBe("Data health · All accounts");
  });
});
