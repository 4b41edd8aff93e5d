/** A real browser in front of the pages of a lived past. */
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import type { Secret } from "../../src/core/domain.ts";
import { serve } from "../../src/web/server.ts";
import { openSite } from "../../src/web/site.ts";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** `CHROMIUM_PATH`, or one of the usual names on PATH; undefined where there is none. */
export function findChromium(): string | undefined {
  const given = process.env.CHROMIUM_PATH;
  if (given) return given;
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isProgram);
}

/** Nothing of anybody's: no profile, no sandbox that root could not have, no talk with its maker. */
export const launchOptions = (executablePath: string) => ({
  executablePath,
  args: [
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
  ],
});

export interface Served {
  url: string;
  close(): void;
}

/** The pages of a database as they are at `now`, epoch ms. */
export async function servePages(
  databasePath: string,
  now: () => number,
  token: Secret | null = null,
): Promise<Served> {
  const site = openSite({ databasePath, timezone: "Europe/Berlin", sqlTimeoutSeconds: 10 }, null);
  const place = { host: "127.0.0.1", port: 0, token, names: [] };
  const serving = await serve({ ...site, now }, place, (problem) => console.error(problem));
  return {
    url: serving.url,
    close() {
      serving.close();
      site.close();
    },
  };
}

/** How long a page may take on a machine that is busy with something else. Milliseconds. */
export const patience = 120_000;

export interface Look {
  page: Page;
  context: BrowserContext;
  /** What the browser complained of. */
  complaints: string[];
  /** Hosts that it asked. */
  hosts: Set<string>;
}

export type Browser = Awaited<ReturnType<typeof startBrowser>>;

export async function startBrowser(executablePath: string) {
  const profile = mkdtempSync(join(tmpdir(), "collector-browser-"));
  const browser = await chromium.launch({ ...launchOptions(executablePath), env: { ...process.env, HOME: profile } });
  return {
    /** A window of its own, gone when the test is over. */
    async open(path: string, options: BrowserContextOptions = {}): Promise<Look> {
      const context = await browser.newContext({
        locale: "en-GB",
        timezoneId: "UTC",
        acceptDownloads: true,
        ...options,
      });
      onTestFinished(() => context.close());
      context.setDefaultTimeout(patience);
      const page = await context.newPage();
      const look: Look = { page, context, complaints: [], hosts: new Set() };
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") look.complaints.push(message.text());
      });
      page.on("pageerror", (error) => look.complaints.push(error.message));
      page.on("request", (request) => look.hosts.add(new URL(request.url()).host));
      await page.goto(path);
      return look;
    },
    async close() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Waits until the first curve of the page is drawn, for the `times`-th time. */
export async function drawn(page: Page, times = 1): Promise<void> {
  const count = async () => Number(await page.locator("figure.chart").first().getAttribute("data-drawn"));
  await expect.poll(count, { timeout: patience }).toBeGreaterThanOrEqual(times);
}
