/** The pages of the exchange's ledger, over the history of a simulated account of which the exchange does not list one entry. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { add, compare, normalize } from "../../src/core/decimal.ts";
import { findingsIn } from "../../src/web/pages/ledger/outages.ts";
import { serve } from "../../src/web/server.ts";
import { openSite } from "../../src/web/site.ts";
import { fetchOnce } from "../support/http.ts";
import { runInProcess } from "../support/in-process.ts";
import { classic, credentials } from "../support/settings.ts";
import { type OpenWorld, openWorld } from "../support/world.ts";
import { idle } from "./site.ts";

const hour = 3_600_000;
const start = Date.parse("2026-10-20T10:00:00Z");
const schedule = "*/30 * * * *";

interface Row {
  [name: string]: string;
}

const end: (() => unknown)[] = [];
let world: OpenWorld;
let url: string;
let hidden: { id: string; change: string };

const request = (path: string) => fetchOnce(new URL(path, url));
const page = async (path: string) => (await request(path)).text();
const rowsOf = async (path: string): Promise<Row[]> => ((await (await request(path)).json()) as { rows: Row[] }).rows;
const sql = (query: string) => world.rows(query) as Row[];
const part = (text: string, id: string): string =>
  new RegExp(`id="${id}"[\\s\\S]*?</(section|nav)>`).exec(text)?.[0] ?? "";
const umcbl = "account=main&wallet=umcbl&coin=USDT";

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "collector-ledger-"));
  end.push(() => rmSync(folder, { recursive: true }));
  const datasets = ["SPOT_ASSETS", "FUNDING_ASSETS", "MIX_ACCOUNTS", "BILLS"];
  const settings = Object.fromEntries(datasets.map((name) => [`SCHEDULE_${name}`, schedule]));
  world = await openWorld(
    join(folder, "collector.db"),
    "2026-10-20T09:59:30Z",
    { ...settings, ...credentials(classic) },
    { accounts: [classic], from: start - 12 * hour, habits: { hasCashFlows: true, activity: 48 } },
  );
  end.unshift(() => world.close());
  const live = async (from: number, to: number) => {
    for (let at = from; at <= to; at += hour / 2) await world.at(start + at);
  };
  await live(0, 3 * hour);
  // What will happen is known only when it has.
  world.clock.advanceTo(start + 3.4 * hour);
  const lost = world.exchange
    .ledgerOf(classic.name)
    .find(
      ({ at, wallet, coin, change }) =>
        at > start + 3 * hour && wallet === "umcbl" && coin === "USDT" && normalize(change) !== "0",
    );
  if (!lost) throw new Error("nothing happened");
  hidden = lost;
  world.exchange.listFaults.hide(lost.id);
  await live(3.5 * hour, 5 * hour);
  const site = openSite({ databasePath: world.path, timezone: "UTC", sqlTimeoutSeconds: 10 }, idle);
  const place = { host: "127.0.0.1", port: 0, token: null, names: [] };
  const serving = await serve({ ...site, now: () => world.clock.now() }, place, (problem) => {
    throw problem;
  });
  url = serving.url;
  end.unshift(() => {
    serving.close();
    site.close();
  });
});

afterAll(async () => {
  for (const close of end) await close();
});

describe("the ledger of a wallet and coin", () => {
  it("has every entry, newest first, so that each balance follows from the next row", async () => {
    const rows = await rowsOf(`/api/ledger?${umcbl}`);
    expect(rows.map(({ bill_id }) => bill_id).sort()).toEqual(
      sql("select bill_id from bills where wallet = 'umcbl' and coin = 'USDT' order by bill_id").map(
        (row) => row.bill_id,
      ),
    );
    expect(rows.length).toBeGreaterThan(100);
    const broken = rows.filter(({ balance, change }, index) => {
      const before = rows[index + 1]?.balance;
      return before !== undefined && (change === null || compare(add(before, change ?? "0"), balance ?? "0") !== 0);
    });
    // The entry that is not listed lies before this one.
    expect(broken.length).toBe(1);
    expect(broken[0]).toMatchObject({
      change: null,
      verdict: "break",
      cause: "the balance changed by more or less than the entries",
    });
    expect(new Set(rows.map(({ verdict }) => verdict))).toEqual(new Set(["break", "proven"]));
  });

  it("shows the digits of the database and the verdict of the stretch that contains the entry", async () => {
    const rows = await rowsOf(`/api/ledger?${umcbl}`);
    const stretches = sql("select * from reconciliation where wallet = 'umcbl' and coin = 'USDT' order by from_at_ms");
    for (const [index, row] of rows.entries()) {
      const at = String(row.at);
      const known = stretches.find(({ from_at, to_at }) => String(from_at) < at && at <= String(to_at)) ?? stretches[0];
      if (index % 10 === 0) expect([row.bill_id, row.verdict]).toEqual([row.bill_id, known?.verdict]);
    }
    const newest = part(await page(`/ledger?${umcbl}`), "ledger").split("<tr")[2];
    for (const name of ["amount", "balance"]) expect(newest).toContain(`value="${rows[0]?.[name]}"`);
    expect(newest).toContain("● Proven");
  });

  it("is paged by a hundred entries, and the CSV has all of them", async () => {
    const rows = await rowsOf(`/api/ledger?${umcbl}`);
    const pages = Math.ceil(rows.length / 100);
    const shown: string[] = [];
    for (let number = 1; number <= pages; number++) {
      const text = await page(`/ledger?${umcbl}&page=${number}`);
      shown.push(...[...part(text, "ledger").matchAll(/data-label="Entry">([^<]+)</g)].map((found) => found[1] ?? ""));
      expect(text.includes("Newer entries")).toBe(number > 1);
      expect(text.includes("Older entries")).toBe(number < pages);
    }
    expect(shown).toEqual(rows.map(({ bill_id }) => bill_id));
    const csv = await page(`/api/ledger.csv?${umcbl}`);
    expect(csv.split("\r\n").length).toBe(rows.length + 2);
  });

  it("is that of the shown instant", async () => {
    const at = "2026-10-20T11:00:00Z";
    const rows = await rowsOf(`/api/ledger?${umcbl}&at=${at}`);
    const [known] = sql(
      `select count(*) as n from bills where wallet = 'umcbl' and coin = 'USDT' and at <= '2026-10-20T11:00:00.000Z'`,
    );
    expect(rows.length).toBe(Number(known?.n));
    expect(part(await page(`/ledger?${umcbl}&at=${at}`), "verdict")).toContain("(as judged now)");
    expect(part(await page(`/ledger?${umcbl}`), "verdict")).not.toContain("as judged now");
  });

  it("of a wallet without one is unprovable, never good", async () => {
    const [held] = sql("select coin from funding_assets_latest limit 1");
    const text = await page(`/ledger?account=main&wallet=funding&coin=${held?.coin}`);
    expect(part(text, "verdict")).toContain("– Unprovable");
    expect(text).toContain("The exchange&#39;s ledger has no entries here.");
    expect(part(text, "ledger")).not.toContain("Proven");
  });
});

describe("the reconciliation", () => {
  it("lists the one break first, with its exact amount", async () => {
    const rows = await rowsOf("/api/reconciliation");
    expect(rows.filter(({ verdict }) => verdict === "break").length).toBe(1);
    expect(rows[0]).toMatchObject({ wallet: "umcbl", coin: "USDT", residual: normalize(hidden.change) });
    const [all] = sql("select count(*) as n from reconciliation");
    expect(rows.length).toBe(Number(all?.n));
    const first = part(await page("/reconciliation"), "reconciliation").split("<tr")[2] ?? "";
    expect(first).toContain("✕ Break");
    expect(first).toContain(`value="${normalize(hidden.change)}"`);
    expect(first).toContain("ledger?account=main&amp;wallet=umcbl&amp;coin=USDT");
  });

  it("is selected by wallet, coin and verdict in the address, in the CSV too", async () => {
    const text = await page("/reconciliation?verdict=break&wallet=umcbl");
    expect(text).toContain("api/reconciliation.csv?wallet=umcbl&amp;verdict=break");
    expect(part(text, "reconciliation").match(/<tr role="row"><td/g)?.length).toBe(1);
    expect((await page("/api/reconciliation.csv?wallet=umcbl&verdict=break")).split("\r\n").length).toBe(3);
    expect(await rowsOf("/api/reconciliation?wallet=spot&verdict=break")).toEqual([]);
    expect(new Set((await rowsOf("/api/reconciliation?coin=usdt")).map(({ coin }) => coin))).toEqual(new Set(["USDT"]));
  });

  it("has two lines for each row in a narrow window: coin and verdict, times and what is left over", async () => {
    const first = part(await page("/reconciliation"), "reconciliation").split("<tr")[2] ?? "";
    for (const [place, content] of [
      ["lead", "<small>USDT-M</small>"],
      ["figure", "✕ Break"],
      ["more", "<time"],
      ["detail", `value="${normalize(hidden.change)}"`],
    ])
      expect(first).toMatch(new RegExp(`class="[^"]*\\b${place}">(?:(?!</td>).)*${content}`, "s"));
  });

  it("has one row for the gaps of an outage", () => {
    const gap = { account: "main", wallet: "spot", verdict: "gap", cause: "503", residual: "1" };
    const from = (from: number, to: number, more: object) => ({
      ...gap,
      ...{ from_at: new Date(from * hour).toISOString(), to_at: new Date(to * hour).toISOString() },
      ...more,
    });
    const rows = [
      from(1, 3, { coin: "BTC" }),
      from(2, 4, { coin: "ETH", wallet: "umcbl" }),
      from(2, 4, { coin: "ADA", cause: "404" }),
      from(2, 4, { coin: "LTC", account: "hedge" }),
      from(4, 5, { coin: "XRP" }),
      from(1, 3, { coin: "SOL", verdict: "break" }),
      from(1, 3, { coin: "DOGE", verdict: "break" }),
    ];
    const found = findingsIn(rows).map(({ row, stretches }) => [stretches.map(({ coin }) => coin).join(" "), row]);
    expect(found.map(([coins]) => coins)).toEqual(["BTC ETH", "ADA", "LTC", "XRP", "SOL", "DOGE"]);
    expect(found[0]?.[1]).toMatchObject({ ...from(1, 4, {}), residual: null });
    expect(found[1]?.[1]).toBe(rows[2]);
  });

  it("is linked from the balances and from data health", async () => {
    const balances = part(await page("/balances?by=wallet"), "balances");
    expect(balances).toMatch(
      /data-label="Ledger"><a href="ledger\?account=main&amp;wallet=funding&amp;coin=\w+"><span class="state unprovable"/,
    );
    expect(balances).toMatch(/wallet=umcbl&amp;coin=USDT"><span class="state fresh"/);
    expect(part(await page("/collection"), "reconciled")).toContain("Stretches by verdict: 1 break, ");
    expect(await page("/coin?account=main&wallet=umcbl&coin=USDT")).toContain(
      `<a href="ledger?${umcbl.replaceAll("&", "&amp;")}">`,
    );
  });
});

it("the overview and status say how much is proven, with the number of breaks", async () => {
  const sentence = /The exchange&#39;s ledger: <a href="reconciliation">(\d\d\.\d % proven, 1 break)<\/a>/;
  const [, shown] = sentence.exec((await page("/")).replaceAll("'", "&#39;")) ?? [];
  expect(shown).toBeDefined();
  expect(await page(`/?at=2026-10-20T11:00:00Z`)).not.toContain("% proven");
  const { stdout } = await runInProcess(["status"], tmpdir(), { DATABASE_URL: `file:${world.path}` });
  expect(stdout).toContain(`The exchange's ledger: ${shown}; \`bitget-collector reconcile\` shows the stretches.`);
});

it.each([
  ["/ledger", 400, '"/ledger" needs account, wallet and coin.'],
  ["/api/ledger", 400, '"ledger" also needs account, wallet, coin.'],
  [`/ledger?${umcbl}&page=0`, 400, '"page" must be an integer from 1'],
  ["/ledger?account=main&wallet=spot&coin=NONE", 404, "No entry of NONE in the wallet spot of main"],
  ["/reconciliation?verdict=ok", 400, '"verdict" must be one of break, gap, open, unprovable, rounded, proven.'],
])("rejects %s with a message", async (path, status, sentence) => {
  const answer = await request(path);
  expect(answer.status).toBe(status);
  expect((await answer.text()).replaceAll('\\"', '"')).toContain(sentence);
});
