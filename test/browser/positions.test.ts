/** Tests the page of positions in a real browser, with more positions than a page shows. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { positions } from "../../src/datasets/snapshots/positions.ts";
import { startAccounts } from "../web/account.ts";
import { type Browser, drawn, findChromium, startBrowser } from "./browser.ts";

const executablePath = findChromium();
const phone = { width: 390, height: 844 };

const held = (number: number, distance: number) => ({
  ...{ symbol: `COIN${number}USDT`, marginCoin: "USDT", holdSide: "short", marginMode: "crossed", leverage: "20" },
  ...{ total: "1234.5678", averageOpenPrice: "100.25", markPrice: "100", liquidationPrice: String(100 + distance) },
  ...{ unrealizedPl: "-1234.56", unrealizedPlr: "-0.2156", margin: "5432.1", achievedProfits: "-12.5" },
});

const rows = (first: number, count: number) =>
  Array.from({ length: count }, (_, at) => held(first + at, (first + at) / 2));

describe.skipIf(!executablePath)("positions in a browser", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await startBrowser(executablePath ?? "");
  });

  afterAll(() => browser?.close());

  /** Starts the pages of 30 open and 40 closed positions, of which no process collects more. */
  async function startMany() {
    const site = await startAccounts({ minutes: 10, daemon: null });
    await site.record(positions, 1, rows(1, 70), "main", "umcbl");
    await site.record(positions, 2, rows(1, 30), "main", "umcbl");
    return site;
  }

  it("takes at most four screens of a phone, also while nothing collects", async () => {
    const { url } = await startMany();
    const { page } = await browser.open(new URL("/positions", url).href, { viewport: phone });
    expect(await page.locator("#banner").textContent()).toContain("not running");
    for (const table of ["positions", "episodes"])
      expect(await page.locator(`#${table} tbody tr`).count(), table).toBe(25);
    expect(await page.evaluate("document.documentElement.scrollHeight")).toBeLessThanOrEqual(4 * phone.height);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(phone.width);
    await page.locator("#positions").getByRole("link", { name: "Next" }).click();
    await page.getByText("26 to 30 of 30").waitFor();
    expect(await page.locator("#positions tbody tr").count()).toBe(5);
  });

  it("folds the filters on a phone, and says what is selected; on a laptop they are open", async () => {
    const { url } = await startMany();
    const { page } = await browser.open(new URL("/positions?hold_side=short", url).href, { viewport: phone });
    const side = page.getByLabel("Side");
    expect(await side.isVisible()).toBe(false);
    await page.getByText("Filter and columns 30 days, short").click();
    expect(await side.isVisible()).toBe(true);
    await page.goto(new URL("/positions", url).href);
    await page.setViewportSize({ width: 1280, height: 844 });
    await side.selectOption("long");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("None of the closed positions is selected.").waitFor();
  });

  it("draws one plot of prices, size and profit, whose lines can be hidden, on a laptop and on a phone", async () => {
    const site = await startMany();
    const { page, problems } = await browser.open(new URL("/positions", site.url).href);
    await page.locator("#positions tbody a").first().click();
    await drawn(page);
    expect(await page.locator("figure.chart").count()).toBe(1);
    const legend = page.locator(".legend button");
    expect(await legend.allTextContents()).toEqual(["Unrealised PnL", "Mark", "Entry", "Liquidation", "Size"]);
    await page.locator(".plot").focus();
    await page.keyboard.press("Home");
    const reading = page.locator(".reading");
    expect(await reading.textContent()).toContain(
      "Unrealised PnL −1,234.56, Mark 100, Entry 100.25, Liquidation 100.5",
    );
    await legend.getByText("Mark").click();
    await drawn(page, 2);
    await page.keyboard.press("Home");
    await page.setViewportSize(phone);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(phone.width);
    expect(problems).toEqual([]);
  });
});
