/**
 * A relay between the daemon and the simulated exchange that records every request and can respond as no well-behaved
 * server does.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Bench } from "./row.ts";

export interface RelayedRequest {
  /** Monotonic time, milliseconds. */
  at: number;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  /** When the last byte of the response was sent or the connection ended; null before that. */
  overAt: number | null;
}

/** Responds to one request in place of the exchange. */
export type Responder = (response: ServerResponse, socket: Socket, request: IncomingMessage) => void;

export interface Relay {
  /** The setting that makes the daemon use the relay. */
  env: { BITGET_BASE_URL: string };
  /** Every request, in order of arrival. */
  passed: RelayedRequest[];
  /** Returns the requests to a path, optionally only those with these query values. */
  requestsTo(path: string, query?: Record<string, string>): RelayedRequest[];
  /** Responds to the next requests to a path with these responders, one each; `query` as above. */
  answer(path: string, answers: readonly Responder[], query?: Record<string, string>): void;
  /** Responds to all requests to a path from now on. */
  always(path: string, answer: Responder, query?: Record<string, string>): void;
  /** Forwards everything again. */
  clear(): void;
  /** Resets the next `count` connections before a byte is read, and closes the idle ones. */
  resetConnections(count: number): void;
  /** Returns the number of open connections. */
  open(): number;
}

interface Order {
  path: string;
  query: Record<string, string>;
  answers: Responder[] | Responder;
}

export async function startProxy({ exchange, onEnd }: Bench): Promise<Relay> {
  const passed: RelayedRequest[] = [];
  const sockets = new Set<Socket>();
  let orders: Order[] = [];
  let resets = 0;

  function instead(one: RelayedRequest): Responder | undefined {
    const order = orders.find(({ path, query }) => isMeant(one, path, query));
    if (!Array.isArray(order?.answers)) return order?.answers;
    const answer = order.answers.shift();
    if (order.answers.length === 0) orders = orders.filter((other) => other !== order);
    return answer;
  }

  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    incoming.resume();
    const { url = "", headers, socket } = incoming;
    const { pathname, searchParams } = new URL(url, exchange.url);
    const one: RelayedRequest = { at: performance.now(), path: pathname, query: searchParams, headers, overAt: null };
    passed.push(one);
    const over = () => {
      one.overAt ??= performance.now();
    };
    response.once("finish", over).once("close", over);
    const answer = instead(one);
    if (answer) answer(response, socket, incoming);
    else forward(exchange.url, incoming, response);
  });
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    if (resets > 0) {
      resets -= 1;
      socket.resetAndDestroy();
      return;
    }
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onEnd(() => {
    server.close();
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  });
  return {
    env: { BITGET_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    passed,
    requestsTo: (path, query = {}) => passed.filter((one) => isMeant(one, path, query)),
    answer: (path, answers, query = {}) => void orders.push({ path, query, answers: [...answers] }),
    always: (path, answers, query = {}) => void orders.push({ path, query, answers }),
    clear() {
      orders = [];
    },
    resetConnections(count) {
      resets = count;
      server.closeIdleConnections();
    },
    open: () => sockets.size,
  };
}

const isMeant = (one: RelayedRequest, path: string, query: Record<string, string>): boolean =>
  one.path === path && Object.entries(query).every(([name, value]) => one.query.get(name) === value);

/** Forwards a request to the exchange and returns its response. */
export function forward(
  exchange: string,
  { url = "", headers }: IncomingMessage,
  response: ServerResponse,
  edit: (body: Buffer) => Buffer = (body) => body,
): void {
  const asking = request(exchange + url, { headers: { ...headers, connection: "close" } }, async (reply) => {
    const body = edit(await buffer(reply));
    const { "content-type": type = "", "retry-after": wait } = reply.headers;
    const fields = { "content-type": type, "content-length": body.length, ...(wait ? { "retry-after": wait } : {}) };
    response.writeHead(reply.statusCode ?? 502, fields);
    response.end(body);
  });
  asking.on("error", () => response.destroy());
  asking.end();
}

/** Responds with a complete response with this body. */
export const whole =
  (body: string | Buffer, { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body);
  };

/** Writes the bytes directly to the socket, which then ends, is reset, or hangs. */
export const raw =
  (bytes: string, then: "ends" | "is reset" | "hangs"): Responder =>
  (_response, socket) => {
    socket.write(bytes, () => {
      if (then === "ends") socket.end();
      if (then === "is reset") socket.resetAndDestroy();
    });
  };

/** Returns the status line and headers of a response, for `raw`. */
export const head = (...fields: string[]): string =>
  `${["HTTP/1.1 200 OK", "content-type: application/json", ...fields].join("\r\n")}\r\n\r\n`;
