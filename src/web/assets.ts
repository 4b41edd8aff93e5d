/** Serves styles, scripts and images of the pages: read once, with an ETag of their content. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Hono } from "hono";

const types: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

const folder = fileURLToPath(new URL("./assets/", import.meta.url));

/** Files of dependencies, served under their own names. */
const fromPackages = ["uplot/dist/uPlot.esm.js", "uplot/dist/uPlot.min.css"];

interface Asset {
  body: Uint8Array<ArrayBuffer>;
  type: string;
  tag: string;
}

function read(name: string, path: string): [string, Asset] {
  const body = new Uint8Array(readFileSync(path));
  const tag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  return [name, { body, type: types[extname(path)] ?? "application/octet-stream", tag }];
}

/** Routes `/assets/NAME` and `/assets/FOLDER/NAME`. Browsers cache the files and revalidate them on each use. */
export function assets(): Hono {
  const own = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => extname(name) in types)
    .map((name) => read(name.replaceAll("\\", "/"), `${folder}${name}`));
  const others = fromPackages.map((name) => read(basename(name), fileURLToPath(import.meta.resolve(name))));
  const all = new Map([...own, ...others]);
  return new Hono().get("/:name{.+}", (c) => {
    const asset = all.get(c.req.param("name"));
    if (!asset) return c.notFound();
    const headers = { "Content-Type": asset.type, ETag: asset.tag, "Cache-Control": "no-cache" };
    if (c.req.header("If-None-Match") === asset.tag) return c.body(null, 304, headers);
    return c.body(asset.body, 200, headers);
  });
}
