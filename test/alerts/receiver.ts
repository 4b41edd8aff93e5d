/** A webhook on loopback that records its requests and responds as the test says. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Receiver {
  /** With a token in it. */
  url: string;
  /** Bodies that came with a complete request, taken or not, in order. */
  received: Record<string, unknown>[];
  /** Answers from now on. */
  answer: (response: ServerResponse, request: IncomingMessage) => void;
  close(): Promise<void>;
}

export const token = "hook-token-0123456789abcdef";

export const taken = (response: ServerResponse) => void response.writeHead(200).end("ok");

/** Closed when the test is over. */
export async function startReceiver(port = 0): Promise<Receiver> {
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    request.on("end", () => {
      receiver.received.push(JSON.parse(text));
      receiver.answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/${token}`,
    received: [],
    answer: taken,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  onTestFinished(() => receiver.close());
  return receiver;
}
