/**
 * A way station between the daemon and the simulated exchange: it writes down what passes, and answers as no
 * well-behaved server can.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Bench } from "./row.ts";

export interface Passed {
  /** Milliseconds, on a clock that only grows. */
  at: number;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  /** When the last byte of the answer was sent, or the connection ended. Null while neither has happened. */
  overAt: number | null;
}

/** Answers one request in the exchange's place. */
export type Instead = (response: ServerResponse, socket: Socket, request: IncomingMessage) => void;

export interface Relay {
  /** The setting that leads the daemon here. */
  env: { BITGET_BASE_URL: string };
  /** Every request, in the order in which they came. */
  passed: Passed[];
  /** Those to a path, and only with these query values if given. */
  asked(path: string, query?: Record<string, string>): Passed[];
  /** The next requests to a path get these answers, one each; `query` as above. */
  answer(path: string, answers: readonly Instead[], query?: Record<string, string>): void;
  /** All requests to a path, from now on. */
  always(path: string, answer: Instead, query?: Record<string, string>): void;
  /** Everything passes again. */
  clear(): void;
  /** So many new connections are reset before a byte is read; those that wait for a request are closed. */
  resetConnections(count: number): void;
  /** How many connections are open. */
  open(): number;
}

interface Order {
  path: string;
  query: Record<string, string>;
  answers: Instead[] | Instead;
}

export async function startProxy({ exchange, onEnd }: Bench): Promise<Relay> {
  const passed: Passed[] = [];
  const sockets = new Set<Socket>();
  let orders: Order[] = [];
  let resets = 0;

  function instead(one: Passed): Instead | undefined {
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
    const one: Passed = { at: performance.now(), path: pathname, query: searchParams, headers, overAt: null };
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
    asked: (path, query = {}) => passed.filter((one) => isMeant(one, path, query)),
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

const isMeant = (one: Passed, path: string, query: Record<string, string>): boolean =>
  one.path === path && Object.entries(query).every(([name, value]) => one.query.get(name) === value);

/** Asks the exchange the same and hands the answer on. */
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

/** A complete answer with these bytes. */
export const whole =
  (body: string | Buffer, { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body);
  };

/** Bytes on the socket as they are, and what becomes of it then. */
export const raw =
  (bytes: string, then: "ends" | "is reset" | "hangs"): Instead =>
  (_response, socket) => {
    socket.write(bytes, () => {
      if (then === "ends") socket.end();
      if (then === "is reset") socket.resetAndDestroy();
    });
  };

/** The head of an answer, for `raw`. */
export const head = (...fields: string[]): string =>
  `${["HTTP/1.1 200 OK", "content-type: application/json", ...fields].join("\r\n")}\r\n\r\n`;
