/** Runs the HTTP server of the dashboard: which requests are accepted, connection limits and timeouts, and the routes. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ConfigError, QueryError } from "../core/errors.ts";
import type { HttpSettings } from "../settings/config.ts";
import { checkRequest, type Rejection, securityHeaders } from "./access/guard.ts";
import { type Access, createAccess } from "./access/login.ts";
import { assets } from "./assets.ts";
import { healthz } from "./health.ts";
import { live } from "./live.ts";
import { createErrorPage } from "./pages/error.ts";
import { pages } from "./pages/index.ts";
import type { Site } from "./site.ts";

/** A server that is listening. */
export interface RunningServer {
  /** The URL of the overview page. */
  url: string;
  close(): void;
}

/** Timeouts in milliseconds, and the maximum number of open connections. */
const limits = { headers: 10_000, request: 20_000, keepAlive: 5_000, idle: 60_000, check: 2_000, connections: 400 };

/**
 * Starts the server. Unexpected errors go to `onProblem`; the client receives a 500 without details.
 * @throws Node's error when the server cannot listen (`EADDRINUSE`, `EACCES`, …); see `describeListenError`
 */
export async function serve(
  site: Site,
  http: HttpSettings,
  onProblem: (error: unknown) => void,
): Promise<RunningServer> {
  const app = createApp(site, createAccess(http.token, site.now), onProblem);
  const handle = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer(
    {
      headersTimeout: limits.headers,
      requestTimeout: limits.request,
      keepAliveTimeout: limits.keepAlive,
      connectionsCheckingInterval: limits.check,
      maxHeaderSize: 16_384,
      // `checkRequest` rejects it with a message of its own.
      requireHostHeader: false,
    },
    (request, response) => {
      for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
      const refusal = checkRequest(request, http);
      if (refusal) reject(response, refusal);
      else void handle(request, response);
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

/** Returns why the server cannot listen and what to do about it, or null for any other error. */
export function describeListenError(error: unknown, { host, port }: HttpSettings): string | null {
  switch ((error as NodeJS.ErrnoException).code) {
    case "EADDRINUSE":
      return `port ${port} of ${host} is in use by another program; set HTTP_PORT to another port, or leave it empty to disable the dashboard`;
    case "EACCES":
      return `this user may not listen on port ${port}; set HTTP_PORT to a port above 1023`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return `${host} is not an address of this machine; set HTTP_HOST to one, or to 127.0.0.1 to serve this machine only`;
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

function createApp(site: Site, access: Access, onProblem: (error: unknown) => void): Hono<AppEnv> {
  const errorPage = createErrorPage(site);
  /** Responds with a page to a browser that is logged in, with JSON below `/api/`, and with a sentence to others. */
  function respond(c: Context<AppEnv>, status: ContentfulStatusCode, sentence: string) {
    if (c.req.path.startsWith("/api/")) return c.json({ error: sentence }, status);
    if (c.get("isAuthorized") === true && acceptsPage(c)) return errorPage(c, status, sentence);
    return c.text(`${sentence}\n`, status);
  }
  return new Hono<AppEnv>()
    .use(async (c, next) => {
      await next();
      // The body of a HEAD response is never read: cancel it, so that its stream ends.
      if (c.req.method === "HEAD") await c.res.body?.cancel();
    })
    .route("/healthz", healthz(site, access))
    .route("/assets", assets())
    .route("/login", access.login)
    .use(access.guard)
    .use((c, next) => {
      c.set("isAuthorized", true);
      return next();
    })
    .get("/metrics", async (c) => {
      if (!site.daemon) return c.text("Metrics are available only from the daemon (`start`), not from `serve`.\n", 503);
      const text = await site.daemon.metrics();
      return c.body(text, 200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
    })
    .route("/live", live(site))
    .route("/", pages(site))
    .notFound((c) => respond(c, 404, "Page not found."))
    .onError((error, c) => {
      if (error instanceof HTTPException) {
        if (error.status === 503 || error.status === 429) c.header("Retry-After", error.status === 503 ? "2" : "60");
        return respond(c, error.status as ContentfulStatusCode, error.message);
      }
      if (error instanceof QueryError || error instanceof ConfigError) return respond(c, 503, error.message);
      onProblem(error);
      return respond(c, 500, "Internal error; see the log of the program.");
    });
}

/** `isAuthorized` is set once the guard has passed the request on. */
type AppEnv = { Variables: { isAuthorized?: boolean } };

/** Returns true if the request is for a page; programs get the text of an error. */
const acceptsPage = (c: Context): boolean => (c.req.header("Accept") ?? "").includes("text/html");
