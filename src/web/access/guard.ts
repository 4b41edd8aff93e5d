/**
 * What is refused before anybody looks at the request: what a page of another site, or of a name that only pretends to be
 * this machine, could send through somebody's browser. And the headers that every answer has.
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { isLoopback } from "../../network/proxy.ts";
import type { HttpSettings } from "../../settings/config.ts";

export interface Rejection {
  status: number;
  /** A plain sentence. */
  problem: string;
  headers?: Record<string, string>;
}

/** No script, style or picture from elsewhere or inside the page; no other site may frame it or learn where one came from. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  // With no-referrer browsers would send the form of the login with the Origin "null".
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

/** Name or address, and the port if there is one: `localhost:8787`, `[::1]`. */
const hostHeader = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:\d{1,5})?$/i;

/** Whoever is asked by one of these is asked as this machine; a name of somebody else's making is none of them. */
function isAcceptedHost(name: string, { host, token, names }: HttpSettings): boolean {
  if (isLoopback(name) || names.includes(name)) return true;
  // No name leads to an address that stands there itself, and who may know it must know the token.
  return (
    token !== null && !isLoopback(host) && (isIP(name) !== 0 || name === host || name === hostname().toLowerCase())
  );
}

/** Null: it may go on. */
export function checkRequest(request: IncomingMessage, settings: HttpSettings): Rejection | null {
  const { headers, method = "", rawHeaders, url = "" } = request;
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "host");
  const host = (headers.host ?? "").toLowerCase();
  const [, name = ""] = hostHeader.exec(host) ?? [];
  if (hosts.length !== 1 || !isAcceptedHost(name.replace(/^\[(.*)\]$/, "$1"), settings))
    return { status: 421, problem: "These pages are not served under this name. HTTP_NAMES lists further ones." };
  if (!url.startsWith("/")) return { status: 400, problem: "The address must be a path." };
  const isLogin = method === "POST" && url === "/login" && settings.token !== null;
  if (!["GET", "HEAD"].includes(method) && !isLogin)
    return { status: 405, problem: "Nothing here writes: only GET is answered.", headers: { Allow: "GET, HEAD" } };
  if (isCrossSite(headers, host) || (isLogin && headers.origin === undefined))
    return { status: 403, problem: "Requests from other sites are not answered." };
  return null;
}

function isCrossSite(headers: IncomingMessage["headers"], host: string): boolean {
  const { origin } = headers;
  if (origin !== undefined && !/^https?:\/\//.test(origin)) return true;
  if (origin !== undefined && origin.toLowerCase().replace(/^https?:\/\//, "") !== host) return true;
  const site = headers["sec-fetch-site"] ?? "none";
  // A link from elsewhere may open a page: the other site sees nothing of it.
  const isLink = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  return !["none", "same-origin"].includes(String(site)) && !isLink;
}
