/** Tests the pages by axe-core, the rules of WCAG that a program can decide. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSite } from "../web/site.ts";
import {
  type Browser,
  drawn,
  findChromium,
  fortnight,
  fortnightDays,
  type Served,
  servePages,
  startBrowser,
} from "./browser.ts";

const executablePath = findChromium();
const end = Date.UTC(2026, 9, 1 + fortnightDays);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const paths = [
  "/",
  "/performance?by=day&span=all",
  "/positions",
  "/positions?period=all&hold_side=short&q=BTC&cols=net,funding",
  "/balances?show=all&digits=all",
  "/balances?by=wallet",
  "/collection?day=2026-10-05",
  "/reconciliation",
  "/reports?preview=equity",
  "/statement?account=main&month=2026-10",
  "/nowhere",
  "/?account=nobody",
];
const livePaths = ["/", "/positions", "/balances", "/performance", "/collection"];
const dated = ["/", "/positions", "/performance"].map((path) => `${path}?at=2026-10-04T12:00`);

/** Removes rows and days that differ from an earlier one by their figures only, over which a rule would decide the same again. */
const removeRepetitions = `
  for (const parent of document.querySelectorAll("tbody, ul, ol, .days")) {
    const seen = new Set();
    for (const child of [...parent.children]) {
      const kind = child.outerHTML.replace(/>[^<]+</g, ">.<").replace(/="[^"]*[0-9][^"]*"/g, '="0"');
      if (seen.has(kind)) child.remove();
      seen.add(kind);
    }
  }`;

interface Violation {
  id: string;
  help: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/**
 * Returns a line for each element that violates one of the rules; null is all. The script comes by the devtools, which no
 * Content-Security-Policy restricts.
 */
async function violations(page: Page, state: string, rules: readonly string[] | null = null): Promise<string[]> {
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe);
  await page.evaluate(removeRepetitions);
  const options = JSON.stringify({ resultTypes: ["violations"], ...(rules ? { runOnly: rules } : {}) });
  const found: Violation[] = await page.evaluate(`axe.run(${options}).then((results) => results.violations)`);
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${state}: ${id} (${help}) at ${target.join(" ")}: ${failureSummary}`),
  );
}

describe.skipIf(!executablePath)("accessibility", () => {
  let now = end + 60_000;
  let served: Served;
  let browser: Browser;

  beforeAll(async () => {
    served = await servePages(await fortnight(), () => now);
    browser = await startBrowser(executablePath ?? "");
  });

  afterAll(async () => {
    await browser?.close();
    served?.close();
  });

  const at = (path: string): string => new URL(path, served.url).href;
  const small = { width: 390, height: 844 };
  const large = { width: 1280, height: 844 };

  const twoLooks = [
    [large, "light", null],
    [small, "dark", null],
  ] as const;
  /** On a laptop and on a phone, light and dark. The colours of a page change contrast only. */
  const allLooks = [...twoLooks, [small, "light", ["color-contrast"]], [large, "dark", ["color-contrast"]]] as const;

  async function inLooks(page: Page, state: string, looks: typeof allLooks | typeof twoLooks): Promise<string[]> {
    const found: string[] = [];
    for (const [viewport, colorScheme, rules] of looks) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      found.push(...(await violations(page, `${state}, ${viewport.width} px, ${colorScheme}`, rules)));
    }
    return found;
  }

  it("no page violates a rule: fresh, of a selected date, and of errors", async () => {
    const { page } = await browser.open("about:blank");
    const found: string[] = [];
    for (const path of [...paths, ...dated]) {
      await page.goto(at(path));
      found.push(...(await inLooks(page, path, allLooks)));
    }
    for (const table of ["positions", "episodes"]) {
      await page.goto(at("/positions"));
      await page.locator(`#${table} tbody a`).first().click();
      await drawn(page);
      found.push(...(await inLooks(page, `a position of ${table}`, allLooks)));
    }
    expect(found).toEqual([]);
  });

  it("no page violates a rule after a day without new data", async () => {
    const { page } = await browser.open("about:blank");
    const found: string[] = [];
    now = end + 86_400_000;
    for (const path of livePaths) {
      await page.goto(at(path));
      found.push(...(await inLooks(page, `${path}, stale`, twoLooks)));
    }
    now = end + 60_000;
    expect(found).toEqual([]);
  });

  it("no opened menu violates a rule, nor the reading of a curve", async () => {
    const { page } = await browser.open(at("/"));
    await drawn(page);
    await page.locator(".plot").first().focus();
    await page.keyboard.press("End");
    const found = await inLooks(page, "a reading of the curve", allLooks);
    for (const path of ["/positions", "/reports", "/collection"]) {
      await page.goto(at(path));
      await page.locator("details").evaluateAll((all) => all.map((one) => one.toggleAttribute("open", true)));
      found.push(...(await inLooks(page, `opened menus of ${path}`, allLooks)));
    }
    expect(found).toEqual([]);
  });

  it("no page of a new database violates a rule", async () => {
    const { url } = await startSite();
    const { page } = await browser.open(url);
    const found: string[] = [];
    for (const path of livePaths) {
      await page.goto(new URL(path, url).href);
      found.push(...(await inLooks(page, `${path}, empty`, twoLooks)));
    }
    expect(found).toEqual([]);
  });

  it("names the rule, the page and the element of a violation", async () => {
    const { page } = await browser.open(served.url);
    await page.evaluate("document.querySelector('main').append(document.createElement('button'))");
    expect(await violations(page, "/")).toEqual([expect.stringMatching(/^\/: button-name .* at #main > button/)]);
  });
});
