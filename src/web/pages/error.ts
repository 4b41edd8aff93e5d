/** Renders errors inside the layout, so that the menu leads away from them. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { createDaemonStates } from "../daemon-state.ts";
import type { Site } from "../site.ts";
import type { Html } from "./parts/figure.ts";
import { bareLayout, layout } from "./parts/layout.ts";
import { createView } from "./parts/query-params.ts";

const titles: Partial<Record<number, string>> = { 400: "Invalid address", 404: "Not found", 503: "Not available now" };

/** Returns a function that responds with a page for an error. The page has no figures, and needs the database for its menus only. */
export function createErrorPage(site: Site) {
  const daemonNow = createDaemonStates(site);
  return async (c: Context, status: ContentfulStatusCode, sentence: string): Promise<Response> => {
    const title = titles[status] ?? "Error";
    const hint = status === 503 || status === 500 ? html`<p><a href="">Try again</a></p>` : "";
    const body = html`<section class="error"><p role="alert">${sentence}</p>${hint}</section>`;
    const page = await pageOf(title, body, site, await daemonNow()).catch(() => bareLayout(title, body));
    return c.html(atDepth(String(await page), c.req.path), status);
  };
}

const pageOf = (
  title: string,
  body: Html,
  site: Site,
  daemon: Awaited<ReturnType<ReturnType<typeof createDaemonStates>>>,
) =>
  site.reader.read((history) => {
    const view = createView(history, { account: null, at: null, isExact: false, params: {} }, site, daemon);
    return layout({ title, path: "/", section: "", view, body, isError: true });
  });

/** Returns a page whose links lead to the root from a path of several segments. All of them are relative. */
function atDepth(page: string, path: string): string {
  const root = "../".repeat(path.split("/").length - 2);
  return root === "" ? page : page.replace(/ (href|src|action)="(?!["#])/g, ` $1="${root}`);
}
