/** Tests the charts in a real browser. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { add } from "../../src/core/decimal.ts";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { noChanges } from "../../src/store/alerts/alert-store.ts";
import { btc, hour, scheduleAll, storeRun } from "../reports/kit.ts";
import { start, storeAt } from "../store/kit.ts";
import { fetchOnce } from "../support/http.ts";
import { type Browser, drawn, findChromium, type Served, servePages, startBrowser } from "./browser.ts";

const executablePath = findChromium();
const hours = 48;
const now = start + hours * hour + 60_000;

describe.skipIf(!executablePath)("charts in a browser", () => {
  const folder = mkdtempSync(join(tmpdir(), "collector-charts-"));
  const path = join(folder, "collector.db");
  let served: Served;
  let browser: Browser;

  beforeAll(async () => {
    const store = await storeAt(path);
    await scheduleAll(store, "0 * * * *", start - 1);
    for (let at = 0; at <= hours; at += 1) {
      if (at === 30) continue;
      const [spot, futures] = [1000 + at, 500 - at / 4];
      const cells = { spotUsdt: `${spot}.0000001`, futuresUsdt: `${futures}`, complete: 1 };
      const total = add(`${spot}.0000001`, `${futures}`);
      await storeRun(store, equity, start + at * hour, [{ usdtEquity: total, ...cells }]);
      if (at % 8 === 0) await storeRun(store, spotAssets, start + at * hour, [btc(`${1 + at / 64}`)]);
    }
    const alert = { kind: "drawdown", account: "main", what: "equity", alert: "a1", value: "0.12", threshold: "0.1" };
    const fired = { ...alert, state: "fired", at: start + 20 * hour, delivery: "log" } as const;
    await store.alerts.record({ ...noChanges, messages: [{ ...fired, sentence: "Alert: main: equity fell." }] });
    await store.setApiVersion("main", "v2", start - 1, "first seen");
    await store.setApiVersion("main", "v3", start + 44 * hour, "upgraded");
    store.close();
    served = await servePages(path, () => now);
    browser = await startBrowser(executablePath ?? "");
  });

  afterAll(async () => {
    await browser?.close();
    served?.close();
    rmSync(folder, { recursive: true });
  });

  const at = (path: string): string => new URL(path, served.url).href;
  const open = async (path: string) => {
    const opened = await browser.open(at(path));
    await drawn(opened.page);
    return opened;
  };
  const boxOf = async (page: Page) => {
    const box = await page.locator(".u-over").first().boundingBox();
    if (!box) throw new Error("nothing was drawn");
    return box;
  };
  async function drag(page: Page, from: number, to: number) {
    const { x, y, width } = await boxOf(page);
    await page.mouse.move(x + width * from, y + 50);
    await page.mouse.down();
    await page.mouse.move(x + width * to, y + 60, { steps: 4 });
    await page.mouse.up();
  }
  const words = (page: Page) => page.locator(".words").first().textContent();
  const pressed = (page: Page) => page.locator('.controls [aria-pressed="true"]').allTextContents();
  const selected = (page: Page) => page.locator(".u-select").evaluate((box) => box.getBoundingClientRect().width);
  /** What a person sees of the chart: its lines, its values and the selected buttons. */
  const picture = async (page: Page) => [
    await page.locator("figure.chart").first().getAttribute("data-drawing"),
    await words(page),
    await pressed(page),
    await page
      .locator("canvas")
      .first()
      .evaluate((canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL()),
  ];

  it("zooms by dragging, without the selection staying, and back by a button, Escape or a double click", async () => {
    const { page, problems } = await open("/?span=1w");
    const before = await words(page);
    let times = 1;
    for (const reset of ["button", "Escape", "double click"]) {
      await drag(page, 0.8, 0.9);
      times += 1;
      await drawn(page, times);
      expect(await words(page)).not.toBe(before);
      expect(await selected(page)).toBe(0);
      expect(await pressed(page)).toEqual(["Equity"]);
      if (reset === "button") await page.getByRole("button", { name: "Reset" }).click();
      else if (reset === "Escape") await page.keyboard.press("Escape");
      else await page.locator(".u-over").dblclick();
      times += 1;
      await drawn(page, times);
      expect(await words(page)).toBe(before);
      expect(await selected(page)).toBe(0);
      expect(await pressed(page)).toEqual(["1 week", "Equity"]);
    }
    expect(problems).toEqual([]);
  });

  it("zooms with the wheel only while Ctrl is pressed", async () => {
    const { page } = await open("/?span=1w");
    const { x, y, width } = await boxOf(page);
    await page.mouse.move(x + width / 2, y + 50);
    await page.mouse.wheel(0, 100);
    await expect.poll(() => page.evaluate("scrollY")).toBeGreaterThan(0);
    expect(page.url()).not.toContain("from=");
    await page.evaluate("scrollTo(0, 0)");
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, -100);
    await page.keyboard.up("Control");
    await drawn(page, 2);
    expect(page.url()).toContain("from=");
  });

  it("shows a legend before the pointer is over it, whose buttons hide lines", async () => {
    const { page } = await open("/?show=wallets&span=1w");
    const legend = page.locator(".legend");
    expect(await legend.getByRole("button").allTextContents()).toEqual(["Total", "Spot", "Futures"]);
    await legend.getByRole("button", { name: "Spot" }).click();
    await drawn(page, 2);
    expect(new URL(page.url()).searchParams.get("hide")).toBe("spot_usdt");
    expect(await legend.getByRole("button", { name: "Spot" }).getAttribute("aria-pressed")).toBe("false");
    const { x, y, width } = await boxOf(page);
    await page.mouse.move(x + width * 0.95, y + 50);
    expect(await page.locator(".tooltip").textContent()).toMatch(/Total.*Futures/);
    expect(await page.locator(".tooltip").textContent()).not.toContain("Spot");
  });

  it("shows the same picture after a reload: view, zoom range and hidden lines are in the address", async () => {
    const { page } = await open("/?span=1w");
    await page.getByRole("button", { name: "By wallet" }).click();
    await drawn(page, 2);
    await page.locator(".legend").getByRole("button", { name: "Futures" }).click();
    await drag(page, 0.8, 0.95);
    await expect.poll(() => page.locator("figure.chart").getAttribute("aria-busy")).toBeNull();
    await page.mouse.move(0, 0);
    const before = await picture(page);
    await page.reload();
    await drawn(page);
    expect(await picture(page)).toEqual(before);
  });

  it("shows time, value and change beside the pointer, cut like on the page, and on the value axis", async () => {
    const { page } = await open("/?span=1w");
    const { x, y, width } = await boxOf(page);
    // 48 of 168 hours are known; the pointer snaps to the last one.
    await page.mouse.move(x + width - 2, y + 20);
    const tooltip = page.locator(".tooltip");
    expect(await tooltip.textContent()).toBe("3 Nov 2026, 01:00:00Total1,536.00 +36.00 (2.40 %)View this moment");
    expect(await page.locator(".axis-value").textContent()).toBe("1,536.00");
    const box = await tooltip.boundingBox();
    expect(Math.abs((box?.x ?? 0) + (box?.width ?? 0) - x - width)).toBeLessThan(60);
    await page.goto(at("/?span=1w&digits=all"));
    await drawn(page);
    await page.mouse.move(x + width - 2, y + 20);
    expect(await tooltip.textContent()).toContain("1,536.0000001 +36.0000000 (2.40 %)");
  });

  it("leads to the moment that was clicked, and from the keyboard", async () => {
    const { page } = await open("/?span=1w");
    const { x, y, width } = await boxOf(page);
    await page.mouse.click(x + width - 2, y + 20);
    await page.getByRole("link", { name: "View this moment" }).click();
    await page.getByText("Viewing").waitFor();
    expect(new URL(page.url()).searchParams.get("at")).toBe(new Date(start + hours * hour + 59_000).toISOString());
    await page.goto(at("/?span=1w"));
    await drawn(page);
    await page.locator(".plot").focus();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await page.getByText("Viewing").waitFor();
    expect(await page.locator(".equity data").first().getAttribute("value")).toBe("1535.2500001");
  });

  it("says at the flag of an event what happened, by pointer and keyboard, and lists it below, also without scripts", async () => {
    const { page, problems } = await open("/?span=1w");
    const { x, y, width } = await boxOf(page);
    await page.mouse.move(x + (width * (7 * 24 - 28)) / (7 * 24), y + 20);
    expect(await page.locator(".tooltip").textContent()).toContain("A Alert: main: equity fell.View");
    await page.mouse.move(x + width * 0.95, y + 20);
    expect(await page.locator(".tooltip").textContent()).not.toContain("fell");
    await page.locator(".plot").focus();
    await page.keyboard.press("End");
    for (let step = 0; step < 28; step += 1) await page.keyboard.press("ArrowLeft");
    expect(await page.locator(".reading").textContent()).toMatch(
      /^1 Nov 2026, 21:00:00: .*\. A Alert: main: equity fell\.$/,
    );
    expect(problems).toEqual([]);
    const plain = await browser.open(at("/"), { javaScriptEnabled: false });
    await plain.page.getByText("Events", { exact: true }).click();
    expect(await plain.page.locator(".events li").allTextContents()).toEqual([
      expect.stringMatching(/^U 2026-11-02 21:00:00 main: upgraded to a unified account\s*$/),
      expect.stringMatching(/^A 2026-11-01 21:00:00 Alert: main: equity fell\.\s*$/),
    ]);
    expect(await plain.page.locator(".events .note").textContent()).toMatch(/paid in and out of main is unknown/);
  });

  it("downloads every point of the range as CSV with all digits, and the picture as PNG", async () => {
    const { page } = await open("/?span=1w&show=wallets");
    const saved = async (name: string) => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByText(name, { exact: true }).click(),
      ]);
      return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
    };
    const csv = await saved("CSV of this range of Equity, USDT");
    const rows: Record<string, string>[] = parse(csv.bytes, { columns: true });
    expect(rows.length).toBe(hours + 1);
    expect(rows[1]).toMatchObject({
      at: new Date(start + hour).toISOString(),
      spot_usdt: "1001.0000001",
      futures_usdt: "499.75",
    });
    expect(rows[30]).toMatchObject({ total: "", spot_usdt: "" });
    const png = await saved("PNG of Equity, USDT");
    expect(png.name).toBe("equity-curve.png");
    expect(png.bytes.subarray(1, 4).toString()).toBe("PNG");
  });

  it("draws quantities as steps", async () => {
    const { page } = await open("/coin?account=main&wallet=spot&coin=BTC&span=1w");
    expect(await page.locator(".legend").textContent()).toBe("BTC");
    const response = await fetchOnce(at("/api/curve?of=coin&account=main&wallet=spot&coin=BTC"));
    const { lines } = (await response.json()) as { lines: unknown[] };
    expect(lines).toMatchObject([{ name: "total", kind: "quantity", isStep: true }]);
  });
});
