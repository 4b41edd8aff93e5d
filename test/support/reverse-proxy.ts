/** A reverse proxy that serves the dashboard below a path prefix, as nginx and Caddy do. */
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Starts the proxy until the test is over. `other` collects every requested path outside the prefix. */
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
    const passed = request({ host: "127.0.0.1", port, path, method, headers }, (upstream) => {
      response.writeHead(upstream.statusCode ?? 502, upstream.headers);
      upstream.pipe(response);
      response.once("close", () => upstream.destroy());
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
