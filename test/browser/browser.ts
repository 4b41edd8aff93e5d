/** Opens the dashboard in a real browser. */
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import type { Secret } from "../../src/core/domain.ts";
import { serve } from "../../src/web/server.ts";
import { type Daemon, openSite } from "../../src/web/site.ts";
import { simulateFortnight } from "../support/fortnight.ts";
import { madeOnce } from "../support/made-once.ts";
import { idle } from "../web/site.ts";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns `CHROMIUM_PATH`, or the first of the usual names on PATH; undefined where there is none. */
export function findChromium(): string | undefined {
  const given = process.env.CHROMIUM_PATH;
  if (given) return given;
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isProgram);
}

/** Returns options for a browser without a profile and without requests to its vendor; root cannot use the sandbox. */
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

/** How many days `fortnight` has. */
export const fortnightDays = 6;

/** Returns the path of a history with the beginning of the simulated fortnight, for reading only. */
export const fortnight = (): Promise<string> =>
  madeOnce("fortnight.db", (path) => simulateFortnight(path, fortnightDays));

/** Serves the pages of a database as of `now`, epoch ms. */
export async function servePages(
  databasePath: string,
  now: () => number,
  token: Secret | null = null,
  daemon: Daemon | null = idle,
): Promise<Served> {
  const site = openSite({ databasePath, timezone: "Europe/Berlin", sqlTimeoutSeconds: 10 }, daemon);
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

export interface OpenPage {
  page: Page;
  context: BrowserContext;
  /** Errors and warnings of the console, and uncaught errors. */
  problems: string[];
  /** Hosts of all requests. */
  hosts: Set<string>;
}

export type Browser = Awaited<ReturnType<typeof startBrowser>>;

export async function startBrowser(executablePath: string) {
  const profile = mkdtempSync(join(tmpdir(), "collector-browser-"));
  const browser = await chromium.launch({
    ...launchOptions(executablePath),
    timeout: 0,
    env: { ...process.env, HOME: profile },
  });
  return {
    /** Opens a page in a context of its own, which is closed when the test is over. */
    async open(path: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
      const context = await browser.newContext({
        locale: "en-GB",
        timezoneId: "UTC",
        acceptDownloads: true,
        ...options,
      });
      onTestFinished(() => context.close());
      // The limit of the test applies.
      context.setDefaultTimeout(0);
      const page = await context.newPage();
      const opened: OpenPage = { page, context, problems: [], hosts: new Set() };
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") opened.problems.push(message.text());
      });
      page.on("pageerror", (error) => opened.problems.push(error.message));
      page.on("request", (request) => opened.hosts.add(new URL(request.url()).host));
      await page.goto(path);
      return opened;
    },
    async close() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Waits until the first curve of the page has been drawn `times` times. */
export async function drawn(page: Page, times = 1): Promise<void> {
  const count = async () => Number(await page.locator("figure.chart").first().getAttribute("data-drawn"));
  await expect.poll(count).toBeGreaterThanOrEqual(times);
}
