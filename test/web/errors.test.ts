import { rmSync } from "node:fs";
import { expect, it } from "vitest";
import { Secret } from "../../src/core/domain.ts";
import { minute, start } from "../store/kit.ts";
import { fetchOnce } from "../support/http.ts";
import { startSite } from "./site.ts";

const browser = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

it.each([
  ["/nowhere", 404, "Page not found."],
  ["/?account=nobody", 404, "No account &quot;nobody&quot; in this database."],
  ["/?at=yesterday", 400, "&quot;at&quot; must be a time"],
])(
  "shows a browser the error of %s with the menus of every page, and a program its sentence",
  async (path, status, sentence) => {
    const { url } = await startSite();
    const shown = await fetchOnce(new URL(path, url), { headers: browser });
    expect([shown.status, shown.headers.get("content-type")]).toEqual([status, "text/html; charset=UTF-8"]);
    const page = await shown.text();
    expect(page).toContain(sentence);
    for (const part of [
      '<nav aria-label="Pages"',
      'href="positions"',
      'class="pill',
      'class="menu account"',
      "</footer>",
    ])
      expect(page).toContain(part);
    // It does not update itself.
    expect(page).not.toContain("data-now");
    const program = await fetchOnce(new URL(path, url));
    expect(program.headers.get("content-type")).toContain("text/plain");
  },
);

const pages = ["/", "/positions", "/position", "/balances", "/coin", "/performance", "/ledger", "/reconciliation"];

it("says on every page, file and table which times `at` accepts", async () => {
  const { url } = await startSite();
  const others = [
    "/collection",
    "/reports",
    "/statement",
    "/days",
    "/reports/equity.csv",
    "/api/balances",
    "/api/curve",
  ];
  for (const path of [...pages, ...others]) {
    const response = await fetch(new URL(`${path}?at=garbage`, url), { headers: browser });
    expect([path, response.status]).toEqual([path, 400]);
    expect(await response.text()).toMatch(
      /garbage.*must be a time such as 2026-11-01T12:30 \(UTC\) or 2026-11-01T12:30:00Z\./,
    );
  }
});

it.each([
  ["/positions?hold_side=up", '"up": "hold_side" must be long or short.'],
  ["/positions?page=0", '"0": "page" must be an integer from 1 to 999999.'],
  ["/positions?open_page=two", '"two": "open_page" must be an integer'],
  ["/positions?sort=constructor", '"constructor": "sort" must be one of closed, -closed'],
  ["/positions?show=changes", '"changes": "show" must be won or lost.'],
  ["/positions?cols=nothing", '"nothing": "cols" must be of opened'],
  ["/?span=2w", '"2w": "span" must be one of 1m, 1d'],
  ["/?show=won", '"won": "show" must be one of equity, profit'],
  ["/?allocation=symbol", '"symbol": "allocation" must be coin or wallet.'],
  ["/balances?show=few", '"few": "show" must be all.'],
  ["/balances?by=account", '"account": "by" must be coin or wallet.'],
  ["/?digits=2", '"2": "digits" must be all.'],
  ["/performance?span=5y", '"5y": "span" must be one of 1m, 3m, 1y, all.'],
  ["/collection?state=good", '"good": "state" must be one of all, ok'],
  ["/reconciliation?wallet=purse", '"purse": "wallet" must be empty: there is no ledger.'],
  ["/position?margin_mode=cross", '"cross": "margin_mode" must be crossed or isolated.'],
  ["/position?product_type=spot", '"spot": "product_type" must be one of umcbl'],
  ["/position?first_seen_at=now", '"now": "first_seen_at" must be a time'],
  ["/api/episodes.csv?show=open", '"open": "show" must be won or lost.'],
  ["/api/runs?state=good", '"good": "state" must be one of all, ok'],
])("names the parameter of %s, its value and what it may be, in a page and as JSON", async (path, sentence) => {
  const { url } = await startSite();
  const response = await fetch(new URL(path, url), { headers: browser });
  expect(response.status).toBe(400);
  const text = await response.text();
  if (path.startsWith("/api/")) {
    expect(response.headers.get("content-type")).toContain("application/json");
    expect(JSON.parse(text).error).toContain(`Invalid value ${sentence}`);
  } else {
    expect(text.replaceAll("&quot;", '"')).toContain(`Invalid value ${sentence}`);
    expect(text).toContain('<nav aria-label="Pages"');
  }
});

it("leads from a deep path back to the root", async () => {
  const { url } = await startSite();
  const page = await (await fetchOnce(new URL("/nowhere/deep/down", url), { headers: browser })).text();
  expect(page).toContain('href="../../positions"');
  expect(page).toContain('src="../../assets/pages.js"');
  expect(page).not.toMatch(/ (href|src|action)="(?!\.\.\/\.\.\/|#)/);
});

it("has the pages in the menu also where the database cannot be read", async () => {
  const { url, site } = await startSite();
  rmSync(site.databasePath);
  const shown = await fetchOnce(url, { headers: browser });
  const page = await shown.text();
  expect([shown.status, shown.headers.get("retry-after")]).toEqual([503, null]);
  expect(page).toContain('<nav aria-label="Pages"');
  expect(page).toContain("Try again");
});

it("shows nothing of the accounts to requests without the token", async () => {
  const { url, store } = await startSite({ http: { token: new Secret("a-token-of-the-pages") } });
  await store.setSchedule("hidden-name", "equity", "* * * * *", start - minute);
  for (const path of ["/nowhere", "/login/deep", "/assets/nothing.css", "/?at=yesterday", "/healthz/x"]) {
    const headers = { ...browser, Authorization: `Bearer wrong-token-${path}` };
    for (const sent of [browser, headers]) {
      const body = await (await fetchOnce(new URL(path, url), { headers: sent })).text();
      expect(body).not.toContain("hidden-name");
      expect(body).not.toContain('class="menu');
    }
  }
});
