/**
 * Simulates 200 readers of the dashboard at a URL: 120 that follow every link one after the other, 40 that listen for updates, and 40
 * that read the longest pages slowly. They represent other machines, so this process has a low priority.
 */
import { Agent, get, type IncomingMessage } from "node:http";
import { setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

export interface Visits {
  /** Milliseconds from the request to the last byte, for the readers that follow links. */
  durations: number[];
  /** Milliseconds of each page before the readers began, without downloads. */
  alone: [path: string, ms: number][];
  /** The number of responses by status. */
  statuses: Record<string, number>;
  bytes: number;
}

/** The pages, and what they link to: details, filters, other instants, CSV. */
const maxPages = 150;

/** The pages that every reader begins with; the rest is found by their links. */
const firstPages = [
  "",
  "positions?period=all&sort=-net",
  "balances",
  "balances?by=wallet",
  "performance?span=1y&by=day",
  "reports",
  "collection",
  "reconciliation",
];

const counts = { hurried: 120, listening: 40, slow: 40 };
const pauseMs = 100;

const [url = ""] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 1000 });
const visits: Visits = { durations: [], alone: [], statuses: {}, bytes: 0 };

const open = (path: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get(new URL(path, url), { agent }, resolve).once("error", reject);
  });

function count({ statusCode = 0 }: IncomingMessage): void {
  visits.statuses[statusCode] = (visits.statuses[statusCode] ?? 0) + 1;
}

async function take(path: string): Promise<string> {
  const response = await open(path);
  count(response);
  let text = "";
  for await (const piece of response.setEncoding("utf8")) {
    visits.bytes += piece.length;
    if (text.length < 1_000_000) text += piece;
  }
  return text;
}

/** Returns every path that is linked from pages, with the length of its content. */
async function crawl(): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const left = firstPages.map((path) => `/${path}`);
  for (let path = left.shift(); path !== undefined && found.size < maxPages; path = left.shift()) {
    if (found.has(path) || path.startsWith("/live")) continue;
    const startedAt = performance.now();
    const text = await take(path);
    found.set(path, text.length);
    if (/^\/[a-z]*(\?|$)/.test(path)) visits.alone.push([path, performance.now() - startedAt]);
    if (path.startsWith("/assets/") || path.startsWith("/api/")) continue;
    // All links are relative.
    for (const [, link = ""] of text.matchAll(/ (?:href|src|data-source)="([^"#<>\s]+)/g)) {
      const { pathname, search } = new URL(link.replaceAll("&amp;", "&"), new URL(path, url));
      if (!/\.(zip|png|svg)$/.test(pathname)) left.push(pathname + search);
    }
  }
  return found;
}

async function hurry(paths: readonly string[], first: number): Promise<void> {
  for (let n = first; ; n += 1) {
    const startedAt = performance.now();
    await take(paths[n % paths.length] ?? "/").catch(() => {});
    visits.durations.push(performance.now() - startedAt);
    await sleep(pauseMs);
  }
}

async function dawdle(path: string): Promise<void> {
  for (;;) {
    try {
      const response = await open(path);
      count(response);
      for await (const piece of response) {
        visits.bytes += piece.length;
        await sleep(1000);
      }
    } catch {
      // Disconnected for being slow; connects again.
    }
    await sleep(pauseMs);
  }
}

setPriority(10);
const found = await crawl();
const paths = [...found.keys()];
const longest = paths.toSorted((a, b) => (found.get(b) ?? 0) - (found.get(a) ?? 0));
visits.statuses = {};
visits.bytes = 0;
for (let n = 0; n < counts.hurried; n += 1) void hurry(paths, n);
for (let n = 0; n < counts.listening; n += 1) void take("/live").catch(() => {});
for (let n = 0; n < counts.slow; n += 1) void dawdle(longest[n % 4] ?? "/");
process.on("message", () => process.send?.(visits));
process.send?.("reading");
