/**
 * Rejects requests before they are routed: those that a page of another site could send through a user's browser (CSRF, DNS
 * rebinding). Also defines the security headers of every response.
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { isLoopback } from "../../network/proxy.ts";
import type { HttpSettings } from "../../settings/config.ts";

/** Why a request is rejected. */
export interface Rejection {
  status: number;
  /** A sentence for the user. */
  problem: string;
  headers?: Record<string, string>;
}

/** Allows no inline or foreign scripts, styles and images, no framing by other sites, and no referrer to them. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  // With no-referrer, browsers would send the login form with the Origin "null".
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

/** A host name or IP address with an optional port: `localhost:8787`, `[::1]`. */
const hostHeader = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:\d{1,5})?$/i;

/** Returns whether a host name is accepted, which protects against DNS rebinding. */
function isAcceptedHost(name: string, { host, token, names }: HttpSettings): boolean {
  if (isLoopback(name) || names.includes(name)) return true;
  // IP addresses and own names are safe with a token: DNS rebinding cannot forge them, and the token is required anyway.
  return (
    token !== null && !isLoopback(host) && (isIP(name) !== 0 || name === host || name === hostname().toLowerCase())
  );
}

/** Returns why the request is rejected, or null if it is accepted. */
export function checkRequest(request: IncomingMessage, settings: HttpSettings): Rejection | null {
  const { headers, method = "", rawHeaders, url = "" } = request;
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "host");
  const host = (headers.host ?? "").toLowerCase();
  const [, name = ""] = hostHeader.exec(host) ?? [];
  if (hosts.length !== 1 || !isAcceptedHost(name.replace(/^\[(.*)\]$/, "$1"), settings))
    return { status: 421, problem: "Unknown host name. To allow it, add it to HTTP_NAMES." };
  if (!url.startsWith("/")) return { status: 400, problem: "The request target must be a path." };
  const isLogin = method === "POST" && url === "/login" && settings.token !== null;
  if (!["GET", "HEAD"].includes(method) && !isLogin)
    return { status: 405, problem: "Only GET is allowed.", headers: { Allow: "GET, HEAD" } };
  if (isCrossSite(headers, host) || (isLogin && headers.origin === undefined))
    return { status: 403, problem: "Requests from other sites are not answered." };
  return null;
}

function isCrossSite(headers: IncomingMessage["headers"], host: string): boolean {
  const { origin } = headers;
  if (origin !== undefined && !/^https?:\/\//.test(origin)) return true;
  if (origin !== undefined && origin.toLowerCase().replace(/^https?:\/\//, "") !== host) return true;
  const site = headers["sec-fetch-site"] ?? "none";
  // A link on another site may open a page: that site cannot read the response.
  const isLink = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  return !["none", "same-origin"].includes(String(site)) && !isLink;
}
