/** A proxy before the pages that has them below a path and passes the rest of it on, as nginx and Caddy do. */
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Closed when the test is over. `other` is what the site has beside the pages: every path that was asked for there. */
export async function startReverseProxy(port: number, prefix = "/bitget/"): Promise<{ url: string; other: string[] }> {
  const other: string[] = [];
  const server = createServer((incoming, response) => {
    const { url = "", method, headers } = incoming;
    if (!url.startsWith(prefix)) {
      other.push(url);
      response.writeHead(404).end();
      return;
    }
    const path = url.slice(prefix.length - 1);
    const passed = request({ host: "127.0.0.1", port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      response.once("close", () => answer.destroy());
    });
    passed.on("error", () => response.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`, other };
}
