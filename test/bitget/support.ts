/** What the tests of this directory share: a scripted server, an account with tell-tale secrets, a client on both. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterAll, expect, onTestFinished } from "vitest";
import { Client, type ClientOptions } from "../../src/bitget/client.ts";
import { Limiter } from "../../src/bitget/limits/rate-limiter.ts";
import { createHttp } from "../../src/bitget/wire/http.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { type Account, newTally, Secret, type Tally } from "../../src/core/domain.ts";
import { CollectorError } from "../../src/core/errors.ts";
import { createLog } from "../../src/core/log.ts";

export const canaries = {
  key: "bg_canary0123456789abcdef01234567",
  secret: "canary-secret-5f4dcc3b5aa765d61d8327",
  passphrase: "canary/Horse&Staple 9",
};

export const account: Account = {
  name: "main",
  key: new Secret(canaries.key),
  secret: new Secret(canaries.secret),
  passphrase: new Secret(canaries.passphrase),
  api: "v2",
};

export interface Seen {
  url: string;
  path: string;
  at: number;
  headers: IncomingMessage["headers"];
}

export type Script = (request: Seen, response: ServerResponse, number: number) => void;

/** A server on loopback that does as it is told; `number` is 1 for the first request. */
export async function startServer(script: Script): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const url = request.url ?? "";
    const one: Seen = { url, path: url.split("?")[0] ?? "", at: performance.now(), headers: request.headers };
    seen.push(one);
    script(one, response, seen.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

export const answer = (data: unknown, more: object = {}): string =>
  JSON.stringify({ code: "00000", msg: "success", data, ...more });

export const refusal = (code: string, msg = "no"): string => JSON.stringify({ code, msg, requestTime: 0, data: null });

export function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}

/** What the log said in the current file, one line each. */
export const logged: string[] = [];

/** A clock of which `speed` seconds pass in one. */
export function fastClock(speed: number): Clock {
  const start = Date.now();
  const begin = performance.now();
  const monotonic = () => (performance.now() - begin) * speed;
  return {
    now: () => start + Math.round(monotonic()),
    monotonic,
    after: (ms, action) => systemClock.after(ms / speed, action),
  };
}

export function clientOf(baseUrl: string, options: Partial<ClientOptions> = {}): Client {
  const clock = options.clock ?? systemClock;
  const limiter = new Limiter(clock);
  const http = createHttp([baseUrl]);
  const client = new Client({
    account,
    http,
    demoTrading: false,
    limiter,
    clock,
    log: createLog({ level: "debug", format: "json", secrets: [], write: (line) => logged.push(line) }),
    ...options,
  });
  onTestFinished(() => {
    http.close();
    limiter.close();
  });
  return client;
}

/** Options of a request that may last `ms`. */
export function within(ms: number): { signal: AbortSignal; tally: Tally } {
  return { signal: AbortSignal.timeout(ms), tally: newTally() };
}

const thrown: unknown[] = [];

/** The failure of a promise that must fail, kept for the search for secrets. */
export async function failureOf(promise: Promise<unknown>): Promise<CollectorError> {
  const error = await promise.then(
    () => expect.fail("it did not fail"),
    (reason: unknown) => reason,
  );
  thrown.push(error);
  if (!(error instanceof CollectorError)) expect.fail(`no failure of ours: ${String(error)}`);
  return error;
}

const formsOf = (text: string): string[] => {
  const bytes = Buffer.from(text);
  const base64 = bytes.toString("base64");
  return [
    text,
    base64,
    base64.replaceAll("=", ""),
    bytes.toString("hex"),
    encodeURIComponent(text),
    JSON.stringify(text),
  ];
};

/** The texts that hold a canary in any form. */
export const leaks = (texts: readonly string[]): string[] =>
  texts.filter((text) =>
    Object.values(canaries)
      .flatMap(formsOf)
      .some((form) => text.includes(form)),
  );

const depths = { depth: 10, showHidden: true };

afterAll(() => {
  const texts = thrown.flatMap((error) => [
    String(error),
    inspect(error, depths),
    JSON.stringify(error),
    (error as Error).stack ?? "",
  ]);
  expect(leaks([...texts, ...logged])).toEqual([]);
  expect(texts.filter((text) => /access-sign|passphrase:/i.test(text))).toEqual([]);
});
