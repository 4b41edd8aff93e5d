/** Sends a response, as a whole or byte by byte. */
import { type ServerResponse, STATUS_CODES } from "node:http";

export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Calls `action` after `ms` on the simulator's clock. */
export type After = (ms: number, action: () => void) => void;

export function send(response: ServerResponse, { status, headers, body }: HttpResponse): void {
  response.writeHead(status, { "content-length": String(Buffer.byteLength(body)), ...headers });
  response.end(body);
}

/** Sends one byte every `ms`, status line and headers included, then closes the connection. */
export function drip(
  response: ServerResponse,
  { status, headers, body }: HttpResponse,
  ms: number,
  after: After,
): void {
  const { socket } = response;
  const lines = Object.entries({ ...headers, "content-length": String(Buffer.byteLength(body)), connection: "close" });
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, ...lines.map(([name, text]) => `${name}: ${text}`)];
  const bytes = Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
  const step = (sent: number) => {
    if (!socket || socket.destroyed) return;
    if (sent === bytes.length) {
      socket.end();
      return;
    }
    socket.write(bytes.subarray(sent, sent + 1));
    after(ms, () => step(sent + 1));
  };
  step(0);
}
