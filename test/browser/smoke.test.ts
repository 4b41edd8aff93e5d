/** Opens the pages of two days in a real browser: what `npm test` has of the browser, of which `npm run test:long` has the rest. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { simulateFortnight } from "../support/fortnight.ts";
import { type Browser, drawn, findChromium, type Served, servePages, startBrowser } from "./browser.ts";

const executablePath = findChromium();
if (!executablePath)
  console.warn("No Chromium was found (CHROMIUM_PATH or PATH): the tests in a browser are left out.");

describe.skipIf(!executablePath)("in a browser", () => {
  const folder = mkdtempSync(join(tmpdir(), "collector-pages-"));
  const path = join(folder, "collector.db");
  let served: Served;
  let browser: Browser;

  beforeAll(async () => {
    await simulateFortnight(path, 2);
    served = await servePages(path, () => Date.UTC(2026, 9, 3, 0, 1));
    browser = await startBrowser(executablePath ?? "");
  });

  afterAll(async () => {
    await browser?.close();
    served?.close();
    rmSync(folder, { recursive: true });
  });

  it("the curve is drawn, and every page of the navigation has a heading, without errors and from one host", async () => {
    const { page, problems, hosts } = await browser.open(served.url);
    await drawn(page);
    const links = page.getByRole("navigation", { name: "Pages" }).getByRole("link");
    const names = await links.allTextContents();
    expect(names.length).toBeGreaterThan(4);
    for (const name of names) {
      await links.getByText(name, { exact: true }).click();
      await page.locator("[aria-current=page]", { hasText: name }).waitFor();
      await page.getByRole("heading", { level: 1 }).waitFor();
      const isWide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
      expect([name, problems, isWide]).toEqual([name, [], false]);
    }
    expect([...hosts]).toEqual([new URL(served.url).host]);
  });
});
