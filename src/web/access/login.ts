/**
 * Who may read: everybody who reaches a server without a token; else programs that send it (`Authorization: Bearer`) and
 * browsers after one login, by a cookie that shows that its owner once knew it. docs/decisions/0008 has the reasons.
 */
import { createHash, createHmac, scryptSync, timingSafeEqual } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { html } from "hono/html";
import { HTTPException } from "hono/http-exception";
import type { Secret } from "../../core/domain.ts";

export interface Access {
  /** True where the request shows that it may read. @throws HTTPException 429 for a wrong token after many others */
  isAuthorized(c: Context): boolean;
  /** Lets on who may read; the others get a form. */
  guard: MiddlewareHandler;
  /** Takes what the form sends. */
  login: Hono;
}

const cookieName = "collector_login";
const loginSeconds = 30 * 86_400;

/**
 * After so many wrong tokens from one address, further wrong ones are answered 429 for the rest of the minute. The right one is
 * accepted at any time: behind a proxy all people have one address, and what keeps a token from being guessed is its length.
 */
const wrongTokens = { most: 10, withinMs: 60_000 };

const maxFormBytes = 2000;

const openAccess: Access = { isAuthorized: () => true, guard: (_c, next) => next(), login: new Hono() };

export function createAccess(token: Secret | null, now: () => number): Access {
  if (token === null) return openAccess;
  const expected = digest(token.reveal());
  // Not the token itself, and slow to work out: a cookie that got out must not help to guess it.
  const key = scryptSync(token.reveal(), "bitget-collector login", 32);
  const mistakesFrom = createWrongTokenCounter(now);

  const sign = (until: string): string => createHmac("sha256", key).update(until).digest("base64url");

  /** `until.signature`: when it ends, epoch seconds, and that we said so. */
  function isSigned(cookie: string): boolean {
    const [until = "", signature = ""] = cookie.split(".");
    return /^\d{1,12}$/.test(until) && Number(until) * 1000 > now() && isSame(digest(signature), digest(sign(until)));
  }

  /** Compares in the same time whatever is in it. */
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
    // Where somebody stands after a wrong token.
    login: new Hono()
      .get("/", (c) => c.redirect("./", 303))
      .post("/", async (c) => {
        if (Number(c.req.header("Content-Length") ?? Number.NaN) <= maxFormBytes === false)
          throw new HTTPException(413, { message: "That is longer than any token." });
        const given = new URLSearchParams(await c.req.text()).get("token") ?? "";
        if (!isToken(c, given.trim())) {
          deleteCookie(c, cookieName, { path: "" });
          return c.html(form(c, "This is not the token."), 401);
        }
        const until = String(Math.floor(now() / 1000) + loginSeconds);
        setCookie(c, cookieName, `${until}.${sign(until)}`, {
          // Without a path it is for what lies beside the form: below the part of the site at which a proxy has the pages.
          path: "",
          httpOnly: true,
          sameSite: "Strict",
          // A browser would not keep it where the way here is not encrypted.
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
      throw new HTTPException(429, { message: "Too many wrong tokens came from there; try again in a minute." });
  };
}

/** Served in place of any address, and so with the way from there back to the root of the pages. */
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
