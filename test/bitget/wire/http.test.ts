import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createSocketServer, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHttp, type Http } from "../../../src/bitget/wire/http.ts";
import { DeadlineError } from "../../../src/core/errors.ts";
import type { Timeouts } from "../../../src/network/request.ts";
import { answer, canaries, failureOf, send, startServer } from "../support.ts";

const asked = "/api/v2/spot/account/assets?coin=BTC";
const secretHeaders = () => ({ "ACCESS-KEY": canaries.key, "ACCESS-PASSPHRASE": canaries.passphrase });
const timeouts = (request: number): Timeouts => ({
  lookup: 60_000,
  connect: 60_000,
  secureConnect: 60_000,
  response: request,
  request,
});

function httpOf(hosts: readonly string[], request = 60_000): Http {
  const http = createHttp(hosts, { timeouts: timeouts(request) });
  onTestFinished(() => http.close());
  return http;
}

const get = (hosts: readonly string[], request?: number, signal: AbortSignal = new AbortController().signal) =>
  httpOf(hosts, request).get(asked, secretHeaders, signal);

/** A server below HTTP: does what it likes with the socket. */
async function startSocket(
  script: (socket: Socket, number: number) => void,
): Promise<{ url: string; count: () => number }> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    count += 1;
    script(socket, count);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => count };
}

/** An address nobody listens on. */
async function closedPort(): Promise<string> {
  const server = createSocketServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

it("the host receives the signed target byte for byte, with headers created right before", async () => {
  const server = await startServer((_request, response) => send(response, 200, "{}", { "retry-after": "3" }));

  const reply = await get([server.url]);

  expect(reply).toEqual({ status: 200, contentType: "application/json", retryAfter: "3", body: Buffer.from("{}") });
  expect(server.seen.map(({ url, headers }) => [url, headers["access-key"]])).toEqual([[asked, canaries.key]]);
});

describe("a host that", () => {
  it("never responds is given up in time", async () => {
    const server = await startServer(() => {});

    const error = await failureOf(get([server.url], 200));

    expect(error.kind).toBe("timeout");
    expect(error.message).toContain("/api/v2/spot/account/assets: 127.0.0.1 did not respond in time");
  });

  it("sends a byte now and then is given up in time", async () => {
    const server = await startServer((_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(" "), 50);
      response.on("close", () => clearInterval(drip));
    });

    expect((await failureOf(get([server.url], 400))).kind).toBe("timeout");
  });

  it.each([
    ["resets the connection", (socket: Socket) => socket.resetAndDestroy()],
    ["hangs up without a word", (socket: Socket) => socket.once("data", () => socket.end())],
    [
      "hangs up in the middle of the body",
      (socket: Socket) =>
        socket.once("data", () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"code"')),
    ],
    [
      "cuts a chunk",
      (socket: Socket) =>
        socket.once("data", () => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\n{"code"')),
    ],
  ])("%s sends no response", async (_title, script) => {
    const server = await startSocket(script);

    expect((await failureOf(get([server.url]))).kind).toBe("network");
  });

  it("sends endless headers is disconnected", async () => {
    const server = await startServer((_request, response) =>
      send(response, 200, "{}", { "x-long": "x".repeat(20_000) }),
    );

    expect((await failureOf(get([server.url]))).kind).toBe("too_large");
  });

  it("sends a small file that unpacks to 200 MB costs neither time nor memory", async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000));
    const server = await startServer((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end(bomb);
    });
    const memory = process.memoryUsage.rss();

    const error = await failureOf(get([server.url]));

    expect(error.kind).toBe("too_large");
    expect(process.memoryUsage.rss() - memory).toBeLessThan(60_000_000);
  });

  it("sends a damaged archive sends no usable response", async () => {
    const server = await startServer((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end(gzipSync(answer([])).subarray(0, 20));
    });

    expect((await failureOf(get([server.url]))).kind).toBe("bad_body");
  });

  it.each([301, 302, 303, 307, 308])("redirects with %d is not followed", async (status) => {
    const elsewhere = await startServer((_request, response) => send(response, 200, answer([])));
    const server = await startServer((_request, response) => {
      send(response, status, "", { location: `${elsewhere.url}/api/v2/spot/account/assets` });
    });

    const reply = await get([server.url]);

    expect([reply.status, server.seen.length, elsewhere.seen.length]).toEqual([status, 1, 0]);
  });

  it("has a self-signed certificate does not receive our key", async () => {
    const { selfSigned } = await import("../self-signed.ts");
    let requests = 0;
    const server = createTlsServer(selfSigned(), () => {
      requests += 1;
    });
    server.on("tlsClientError", () => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.close();
    });

    const error = await failureOf(get([`https://127.0.0.1:${(server.address() as AddressInfo).port}`]));

    expect([error.kind, requests]).toEqual(["tls", 0]);
    expect(error.message).toContain("DEPTH_ZERO_SELF_SIGNED_CERT");
  });

  it("has no TLS on an https URL does not receive our key", async () => {
    const server = await startServer((_request, response) => send(response, 200, answer([])));

    const error = await failureOf(get([server.url.replace("http:", "https:")]));

    expect([error.kind, server.seen.length]).toEqual(["tls", 0]);
  });
});

describe("the fallback host", () => {
  it.each([
    ["refuses connections", closedPort],
    ["does not exist", async () => "http://nowhere.invalid"],
  ])("is used if the first one %s, with a new signature", async (_title, first) => {
    const fallback = await startServer((_request, response) => send(response, 200, answer([])));
    let signed = 0;
    const headersNow = () => {
      signed += 1;
      return { "access-sign": String(signed) };
    };

    const hosts = [await first(), fallback.url];
    await httpOf(hosts).get(asked, headersNow, new AbortController().signal);

    expect(fallback.seen.map(({ headers }) => headers["access-sign"])).toEqual(["2"]);
  });

  it("is not used if the first one responded, even with an error", async () => {
    const fallback = await startServer((_request, response) => send(response, 200, answer([])));
    const broken = await startServer((_request, response) => send(response, 503, ""));
    const reset = await startSocket((socket) => socket.resetAndDestroy());

    const reply = await get([broken.url, fallback.url]);
    const error = await failureOf(get([reset.url, fallback.url]));

    expect([reply.status, error.kind, fallback.seen.length]).toEqual([503, "network", 0]);
  });

  it("that cannot be reached either is a failure of the network", async () => {
    const hosts = [await closedPort(), await closedPort()];

    const error = await failureOf(get(hosts));

    expect([error.kind, error.message]).toEqual([
      "network",
      "/api/v2/spot/account/assets: no response from 127.0.0.1 (ECONNREFUSED)",
    ]);
  });
});

it("an aborted request ends with the reason and closes its connection", async () => {
  const controller = new AbortController();
  let closed = () => {};
  const hungUp = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const server = await startServer((_request, response) => {
    response.on("close", closed);
    controller.abort(new DeadlineError("time is up"));
  });

  const error = await failureOf(get([server.url], 2000, controller.signal));

  expect([error.kind, error.message]).toEqual(["deadline", "time is up"]);
  await hungUp;
});

it("aborting after the end has no effect", async () => {
  const controller = new AbortController();
  const server = await startServer((_request, response) => send(response, 200, "{}"));
  await get([server.url], 2000, controller.signal);

  controller.abort(new DeadlineError("time is up"));
  await new Promise((resolve) => setTimeout(resolve, 50));

  expect(server.seen).toHaveLength(1);
});

it("connections are kept for the next request", async () => {
  const ports = new Set<number | undefined>();
  const server = await startServer((_request, response) => {
    ports.add(response.socket?.remotePort);
    send(response, 200, "{}");
  });
  const http = httpOf([server.url]);

  for (const _ of [1, 2, 3]) await http.get(asked, secretHeaders, new AbortController().signal);

  expect(ports.size).toBe(1);
});
