/** The dashboard below a path of a site, through a proxy that strips the path. */
import { expect, it } from "vitest";
import { Secret } from "../../src/core/domain.ts";
import { fetchOnce } from "../support/http.ts";
import { startReverseProxy } from "../support/reverse-proxy.ts";
import { startSite } from "../web/site.ts";

const word = "a-token-of-the-pages";

/** Returns the targets of all links on a page, resolved as by a browser at `url`. */
const targetsOf = (html: string, url: string): string[] =>
  [...html.matchAll(/ (?:href|src|action|data-source)="([^"#][^"]*)"/g)].map(
    ([, target = ""]) => new URL(target.replaceAll("&amp;", "&"), url).href,
  );

it("links, files, forms and downloads of every page stay below the path and exist", async () => {
  const { port } = await startSite();
  const { url, other } = await startReverseProxy(port);
  const seen = new Set<string>();
  const todo = [url];
  const missing: string[] = [];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const answer = await fetchOnce(next);
    const body = await answer.text();
    if (body.startsWith("Page not found")) missing.push(next);
    if (answer.headers.get("content-type")?.startsWith("text/html")) todo.push(...targetsOf(body, next));
  }
  const names = [...seen].map((one) => new URL(one).pathname.slice("/bitget/".length));
  expect(names).toEqual(expect.arrayContaining(["", "positions", "collection", "assets/pages.js", "api/outages.csv"]));
  expect(missing).toEqual([]);
  expect(other).toEqual([]);
});

it("the login form posts below the path from every page, and its cookie is limited to that path", async () => {
  const { port } = await startSite({ http: { token: new Secret(word) } });
  const { url, other } = await startReverseProxy(port);
  for (const path of ["", "positions", "api/gaps.csv", "nowhere/deep/down?at=1"]) {
    const at = new URL(path, url).href;
    const answer = await fetchOnce(at);
    const targets = targetsOf(await answer.text(), at);
    expect([answer.status, targets]).toEqual([
      401,
      ["assets/icon.svg", "assets/pages.css", "login"].map((name) => `${url}${name}`),
    ]);
  }
  const { origin } = new URL(url);
  const headers = { Origin: origin, "Content-Type": "application/x-www-form-urlencoded" };
  const login = (token: string) =>
    fetchOnce(`${url}login`, { method: "POST", headers, body: new URLSearchParams({ token }), redirect: "manual" });
  const { status, headers: sent } = await login(word);
  expect([status, new URL(sent.get("location") ?? "", `${url}login`).href]).toEqual([303, url]);
  // A cookie without a path applies to the folder of the page that set it: /bitget here, / without a proxy.
  expect(sent.get("set-cookie")).toMatch(/^collector_login=[^;]+;/);
  expect(sent.get("set-cookie")).not.toMatch(/path=/i);
  const wrong = await login("another-token-of-the-pages");
  expect([wrong.status, targetsOf(await wrong.text(), `${url}login`).at(-1)]).toEqual([401, `${url}login`]);
  expect(other).toEqual([]);
});
