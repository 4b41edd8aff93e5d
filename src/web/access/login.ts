/**
 * Authenticates requests. Without a token every accepted request may read; with one, programs send it (`Authorization: Bearer`) and
 * browsers log in once and then send a signed cookie. The reasons are in docs/decisions/0008.
 */
import { createHash, createHmac, scryptSync, timingSafeEqual } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { html } from "hono/html";
import { HTTPException } from "hono/http-exception";
import type { Secret } from "../../core/domain.ts";

/** Decides which requests may read. */
export interface Access {
  /** Returns whether the request is authenticated. @throws HTTPException 429 for a wrong token after too many others */
  isAuthorized(c: Context): boolean;
  /** Passes on authenticated requests; answers the others 401 with the login form. */
  guard: MiddlewareHandler;
  /** Handles the login form. */
  login: Hono;
}

const cookieName = "collector_login";
const loginSeconds = 30 * 86_400;

/**
 * Limits wrong tokens per address: after `most`, further ones are answered 429 for the rest of the window. The correct token is always
 * accepted: behind a proxy all users share one address, and the length of the token is what prevents guessing.
 */
const wrongTokens = { most: 10, withinMs: 60_000 };

const maxFormBytes = 2000;

const openAccess: Access = { isAuthorized: () => true, guard: (_c, next) => next(), login: new Hono() };

/** Returns the access rules: with a token of null, every accepted request may read. `now` is epoch ms. */
export function createAccess(token: Secret | null, now: () => number): Access {
  if (token === null) return openAccess;
  const expected = digest(token.reveal());
  // A slow key derivation, so that a leaked cookie does not help to guess the token.
  const key = scryptSync(token.reveal(), "bitget-collector login", 32);
  const mistakesFrom = createWrongTokenCounter(now);

  const sign = (until: string): string => createHmac("sha256", key).update(until).digest("base64url");

  /** Returns whether a cookie (`until.signature`, until in epoch seconds) is valid and has not expired. */
  function isSigned(cookie: string): boolean {
    const [until = "", signature = ""] = cookie.split(".");
    return /^\d{1,12}$/.test(until) && Number(until) * 1000 > now() && isSame(digest(signature), digest(sign(until)));
  }

  /** Compares a token in constant time, and counts wrong ones. */
  function isToken(c: Context, given: string): boolean {
    const right = isSame(digest(given), expected);
    if (!right) mistakesFrom(addressOf(c));
    return right;
  }

  function isAuthorized(c: Context): boolean {
    const [, bearer] = /^Bearer +(\S+) *$/i.exec(c.req.header("Authorization") ?? "") ?? [];
    return bearer === undefined ? isSigned(getCookie(c, cookieName) ?? "") : isToken(c, bearer);
  }

  return {
    isAuthorized,
    async guard(c, next) {
      if (isAuthorized(c)) return next();
      c.header("WWW-Authenticate", 'Bearer realm="bitget-collector"');
      return c.html(form(c, ""), 401);
    },
    // The URL after a wrong token, if the user reloads it.
    login: new Hono()
      .get("/", (c) => c.redirect("./", 303))
      .post("/", async (c) => {
        if (Number(c.req.header("Content-Length") ?? Number.NaN) <= maxFormBytes === false)
          throw new HTTPException(413, { message: "The form is too long for a token." });
        const given = new URLSearchParams(await c.req.text()).get("token") ?? "";
        if (!isToken(c, given.trim())) {
          deleteCookie(c, cookieName, { path: "" });
          return c.html(form(c, "Wrong token."), 401);
        }
        const until = String(Math.floor(now() / 1000) + loginSeconds);
        setCookie(c, cookieName, `${until}.${sign(until)}`, {
          // Without a path, the cookie applies to the directory of the form: the path at which a proxy serves the dashboard.
          path: "",
          httpOnly: true,
          sameSite: "Strict",
          // Browsers reject secure cookies on connections without TLS.
          secure: c.req.header("Origin")?.startsWith("https:") === true,
          maxAge: loginSeconds,
        });
        return c.redirect("./", 303);
      }),
  };
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
const isSame = (a: Buffer, b: Buffer): boolean => timingSafeEqual(a, b);

const addressOf = (c: Context): string =>
  (c.env as HttpBindings | undefined)?.incoming.socket.remoteAddress ?? "unknown";

/** Returns a function that counts one more wrong token from an address. It throws HTTPException 429 after too many. */
function createWrongTokenCounter(now: () => number): (from: string) => void {
  const counts = new Map<string, number>();
  let since = now();
  return (from) => {
    if (Math.abs(now() - since) >= wrongTokens.withinMs) {
      counts.clear();
      since = now();
    }
    const count = (counts.get(from) ?? 0) + 1;
    counts.set(from, count);
    if (count > wrongTokens.most)
      throw new HTTPException(429, { message: "Too many wrong tokens from this address; try again in a minute." });
  };
}

/** Returns the login form. It is served at any path, so its links lead back to the root from there. */
function form(c: Context, problem: string) {
  const root = "../".repeat(c.req.path.split("/").length - 2);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in · bitget-collector</title>
<link rel="icon" href="${root}assets/icon.svg">
<link rel="stylesheet" href="${root}assets/pages.css">
</head>
<body>
<main class="login">
<h1>bitget-collector</h1>
${problem ? html`<p role="alert">${problem}</p>` : ""}
<form method="post" action="${root}login">
<label for="token">Token (HTTP_TOKEN)</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button>
</form>
</main>
</body>
</html>`;
}
