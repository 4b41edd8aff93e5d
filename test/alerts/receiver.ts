/** Runs a webhook on loopback that records its requests and sends the responses of the test. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Receiver {
  /** The URL, which contains a token. */
  url: string;
  /** The bodies of complete requests in order, accepted or not. */
  received: Record<string, unknown>[];
  /** Sets the responses from now on. */
  respond: (response: ServerResponse, request: IncomingMessage) => void;
  close(): Promise<void>;
}

export const token = "hook-token-0123456789abcdef";

export const taken = (response: ServerResponse) => void response.writeHead(200).end("ok");

/** Starts a webhook, which is closed after the test. */
export async function startReceiver(port = 0): Promise<Receiver> {
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    request.on("end", () => {
      receiver.received.push(JSON.parse(text));
      receiver.respond(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/${token}`,
    received: [],
    respond: taken,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  onTestFinished(() => receiver.close());
  return receiver;
}
