/** The pages a person reads. */
import { Hono } from "hono";
import { html } from "hono/html";
import type { Site } from "../site.ts";

export const pages = (_site: Site): Hono =>
  new Hono().get("/", (c) =>
    c.html(html`<!doctype html>
<html lang="en">
<title>bitget-collector</title>
<link rel="icon" href="/assets/icon.svg">
<ul><li><a href="/healthz">health</a><li><a href="/metrics">metrics</a></ul>
</html>`),
  );
