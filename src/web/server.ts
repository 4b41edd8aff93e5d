/** The pages over HTTP: who is answered, how long anything may take, and which part answers what. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { ConfigError, QueryError } from "../core/errors.ts";
import type { HttpSettings } from "../settings/config.ts";
import { checkRequest, type Rejection, securityHeaders } from "./access/guard.ts";
import { type Access, createAccess } from "./access/login.ts";
import { assets } from "./assets.ts";
import { healthz } from "./health.ts";
import { live } from "./live.ts";
import { pages } from "./pages/index.ts";
import type { Site } from "./site.ts";

export interface RunningServer {
  /** Where a person finds the pages. */
  url: string;
  close(): void;
}

/** Milliseconds, but for the number of connections. */
const limits = { headers: 10_000, request: 20_000, keepAlive: 5_000, idle: 60_000, check: 2_000, connections: 400 };

/**
 * Listens. What goes wrong inside is given to `onProblem`; whoever asked is told that something did.
 * @throws what Node says of a place that cannot be had: `EADDRINUSE`, `EACCES`, …
 */
export async function serve(
  site: Site,
  http: HttpSettings,
  onProblem: (error: unknown) => void,
): Promise<RunningServer> {
  const app = createApp(site, createAccess(http.token, site.now), onProblem);
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer(
    {
      headersTimeout: limits.headers,
      requestTimeout: limits.request,
      keepAliveTimeout: limits.keepAlive,
      connectionsCheckingInterval: limits.check,
      maxHeaderSize: 16_384,
      // Said in our own words.
      requireHostHeader: false,
    },
    (request, response) => {
      for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
      const refusal = checkRequest(request, http);
      if (refusal) reject(response, refusal);
      else void answer(request, response);
    },
  );
  server.maxConnections = limits.connections;
  server.setTimeout(Math.max(limits.idle, site.sqlTimeoutSeconds * 2000));
  const port = await listen(server, http);
  const name = http.host === "0.0.0.0" || http.host === "::" ? "127.0.0.1" : http.host;
  return {
    url: `http://${name.includes(":") ? `[${name}]` : name}:${port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Why the place cannot be had, and what to do; null where that is not what went wrong. */
export function describeListenError(error: unknown, { host, port }: HttpSettings): string | null {
  switch ((error as NodeJS.ErrnoException).code) {
    case "EADDRINUSE":
      return `port ${port} of ${host} is taken by another program; set HTTP_PORT to another, or leave it empty for no pages`;
    case "EACCES":
      return `port ${port} is not for this user; set HTTP_PORT to one above 1023`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return `${host} is no address of this machine; set HTTP_HOST to one, or to 127.0.0.1 for this machine alone`;
    default:
      return null;
  }
}

function reject(response: ServerResponse, { status, problem, headers = {} }: Rejection): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", Connection: "close", ...headers });
  response.end(`${problem}\n`);
}

function listen(server: Server, { host, port }: HttpSettings): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function createApp(site: Site, access: Access, onProblem: (error: unknown) => void): Hono {
  return new Hono()
    .use(async (c, next) => {
      await next();
      // Of a body that is not sent nobody would ever take anything.
      if (c.req.method === "HEAD") await c.res.body?.cancel();
    })
    .route("/healthz", healthz(site, access))
    .route("/assets", assets())
    .route("/login", access.login)
    .use(access.guard)
    .get("/metrics", async (c) => {
      if (!site.daemon) return c.text("Only the daemon has figures to tell; `serve` is none.\n", 503);
      const text = await site.daemon.metrics();
      return c.body(text, 200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
    })
    .route("/live", live(site))
    .route("/", pages(site))
    .notFound((c) => c.text("There is nothing here.\n", 404))
    .onError((error, c) => {
      if (error instanceof HTTPException) {
        if (error.status === 503 || error.status === 429) c.header("Retry-After", error.status === 503 ? "2" : "60");
        return c.text(`${error.message}\n`, error.status);
      }
      if (error instanceof QueryError || error instanceof ConfigError) return c.text(`${error.message}\n`, 503);
      onProblem(error);
      return c.text("Something went wrong here; the log of the program says what.\n", 500);
    });
}
