/** HTTP over connections of their own, among it requests that no client library would send. */
import { connect, type Socket } from "node:net";

/** Requests as `fetch` does, on a new connection: the server may close one that waits at the very moment of the next request. */
export function fetchOnce(url: string | URL, options: RequestInit = {}): ReturnType<typeof fetch> {
  const headers = new Headers(options.headers);
  headers.set("connection", "close");
  return fetch(url, { ...options, headers });
}

/** Requests a page again as long as a busy machine answers that it takes too long. */
export async function fetchPage(url: string | URL): Promise<globalThis.Response> {
  const response = await fetchOnce(url);
  return response.status === 503 ? fetchPage(url) : response;
}

export interface Response {
  status: number;
  /** By lower-case name. */
  headers: Record<string, string>;
  body: string;
}

/** Sends the lines unchanged and reads until the server closes the connection. */
export async function sendLines(port: number, lines: readonly string[], body = ""): Promise<Response> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
  let text = "";
  for await (const piece of socket.setEncoding("utf8")) text += piece;
  return parse(text);
}

function parse(text: string): Response {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const body = rest.join("\r\n\r\n");
  return {
    status: Number(first.split(" ")[1]),
    headers,
    body: headers["transfer-encoding"] === "chunked" ? unchunked(body) : body,
  };
}

function unchunked(body: string): string {
  const bytes = Buffer.from(body);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, end), 16);
    if (!(size > 0)) break;
    pieces.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(pieces).toString();
}

/** Sends one well-formed request with the given headers added or replaced; null omits a header. */
export function sendRequest(
  port: number,
  path: string,
  headers: Record<string, string | null> = {},
  { method = "GET", body = "" } = {},
): Promise<Response> {
  const all = { Host: `127.0.0.1:${port}`, Connection: "close", ...headers };
  const length = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return sendLines(port, [`${method} ${path} HTTP/1.1`, ...lines, ...length], body);
}

/** Opens a connection, sends the text, and keeps the connection open. */
export async function openConnection(
  port: number,
  text: string,
): Promise<{ socket: Socket; received(): string; closed: Promise<void> }> {
  const socket = connect(port, "127.0.0.1");
  let all = "";
  socket.setEncoding("utf8").on("data", (piece: string) => {
    all += piece;
  });
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise((resolve) => socket.write(text, resolve));
  return { socket, received: () => all, closed };
}
