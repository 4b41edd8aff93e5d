import { rmSync } from "node:fs";
import { expect, it } from "vitest";
import { Secret } from "../../src/core/domain.ts";
import { minute, start } from "../store/kit.ts";
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
    const shown = await fetch(new URL(path, url), { headers: browser });
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
    const program = await fetch(new URL(path, url));
    expect(program.headers.get("content-type")).toContain("text/plain");
  },
);

it("leads from a deep path back to the root", async () => {
  const { url } = await startSite();
  const page = await (await fetch(new URL("/nowhere/deep/down", url), { headers: browser })).text();
  expect(page).toContain('href="../../positions"');
  expect(page).toContain('src="../../assets/pages.js"');
  expect(page).not.toMatch(/ (href|src|action)="(?!\.\.\/\.\.\/|#)/);
});

it("has the pages in the menu also where the database cannot be read", async () => {
  const { url, site } = await startSite();
  rmSync(site.databasePath);
  const shown = await fetch(url, { headers: browser });
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
      const body = await (await fetch(new URL(path, url), { headers: sent })).text();
      expect(body).not.toContain("hidden-name");
      expect(body).not.toContain('class="menu');
    }
  }
});
