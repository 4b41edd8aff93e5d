/** Renders long tables a page at a time; the page is in the address. */
import { html } from "hono/html";
import type { View } from "../../data/table.ts";
import type { Html } from "./figure.ts";
import { linkTo, stickyParams } from "./query-params.ts";

const pageSize = 25;

/** Describes a table with pages. */
export interface Paging {
  view: View;
  /** The parameter that has the number of the page. */
  name: string;
  /** What the pages are of, for screen readers: "closed positions". */
  of: string;
  /** What the links to the page before and after are called. */
  ways: readonly [before: string, after: string];
  /** The page with the table, its anchor, and the parameters that links keep. */
  path: string;
  anchor: string;
  kept: Readonly<Record<string, string | undefined>>;
}

/** Returns the rows of the page in the address, and the links to the other pages. Beyond the last page, it is the last one. */
export function pageOf<Row>(all: readonly Row[], paging: Paging): { rows: Row[]; pager: Html } {
  const asked = Number.parseInt(paging.view.params[paging.name] ?? "1", 10);
  const pages = Math.max(1, Math.ceil(all.length / pageSize));
  const page = Math.min(pages, asked);
  const first = (page - 1) * pageSize;
  const rows = all.slice(first, first + pageSize);
  const beyond = asked > pages ? html`<p class="note">There is no page ${asked}; this is the last one.</p>` : html``;
  if (pages === 1) return { rows, pager: beyond };
  return {
    rows,
    pager: html`${pagerHtml(paging, { page, pages, first, shown: rows.length, all: all.length })}${beyond}`,
  };
}

interface Place {
  page: number;
  pages: number;
  first: number;
  shown: number;
  all: number;
}

function pagerHtml({ view, name, of, ways, path, anchor, kept }: Paging, place: Place): Html {
  const { page, pages, first, shown, all } = place;
  const link = (to: number, text: string, rel: string) =>
    to < 1 || to > pages
      ? ""
      : html`<a rel="${rel}" href="${linkTo(path, stickyParams(view), kept, { [name]: to === 1 ? null : to })}#${anchor}">${text}</a>`;
  return html`<div class="pager" role="navigation" aria-label="Pages of ${of}">${link(page - 1, `← ${ways[0]}`, "prev")}<span>${first + 1} to ${first + shown} of ${all}</span>${link(page + 1, `${ways[1]} →`, "next")}</div>`;
}
