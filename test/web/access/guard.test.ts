import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../src/core/domain.ts";
import { sendLines, sendRequest } from "../../support/http.ts";
import { startSite } from "../site.ts";

const token = new Secret("a-token-of-the-pages");
const bearer = { Authorization: `Bearer ${token.reveal()}` };

describe("the guard", () => {
  it.each([
    ["127.0.0.1", 200],
    ["127.0.0.1:PORT", 200],
    ["127.0.0.1:9999", 200], // a tunnel from another port
    ["LOCALHOST:PORT", 200],
    ["[::1]:PORT", 200],
    ["evil.example:PORT", 421],
    ["127.0.0.1.nip.io:PORT", 421],
    ["localhost.:PORT", 421],
    ["localhost.evil.example", 421],
    ["evil.example@127.0.0.1", 421],
    ["192.168.1.2", 421],
    ["127.0.0.1:PORT, evil.example", 421],
    ["", 421],
    [null, 421],
  ])("responds to a request to the host %s with %i", async (host, status) => {
    const { port } = await startSite();
    expect((await sendRequest(port, "/", { Host: host?.replace("PORT", String(port)) ?? null })).status).toBe(status);
  });

  it("refuses two Host headers, a URL in place of a path, and HTTP/1.0 without a host", async () => {
    const { port } = await startSite();
    const host = `Host: 127.0.0.1:${port}`;
    const refused = await Promise.all([
      sendLines(port, ["GET / HTTP/1.1", host, "Host: evil.example", "Connection: close"]),
      sendLines(port, ["GET / HTTP/1.1", host, host, "Connection: close"]),
      sendLines(port, ["GET http://evil.example/ HTTP/1.1", host, "Connection: close"]),
      sendLines(port, ["GET / HTTP/1.0"]),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([421, 421, 400, 421]);
  });

  it("accepts other names with a token, and only those that are set", async () => {
    const { port } = await startSite({ http: { host: "0.0.0.0", token, names: ["collector.example.com"] } });
    const hosts = ["collector.example.com", "10.1.2.3:80", `${hostname()}:${port}`, "[fe80::1]", "evil.example"];
    const answers = await Promise.all(hosts.map((host) => sendRequest(port, "/", { Host: host, ...bearer })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 421]);
  });

  it.each([
    [{ Origin: "http://127.0.0.1:PORT" }, 200],
    [{ Origin: "http://127.0.0.1:3000" }, 403],
    [{ Origin: "https://evil.example" }, 403],
    [{ Origin: "null" }, 403],
    [{ "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors" }, 200],
    [{ "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate" }, 200],
    [{ "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image" }, 403],
    [{ "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" }, 403],
    [{ "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe" }, 403],
    [{ "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" }, 200],
  ])("responds to a request with %j with %i", async (headers, status) => {
    const { port } = await startSite();
    const sent = Object.fromEntries(Object.entries(headers).map(([name, v]) => [name, v.replace("PORT", `${port}`)]));
    expect((await sendRequest(port, "/", sent)).status).toBe(status);
  });

  it.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])("refuses %s", async (method) => {
    const { port } = await startSite();
    const { status, headers } = await sendRequest(port, "/", {}, { method });
    expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
  });

  it("sends the same security headers on every response, and no CORS headers", async () => {
    const { port } = await startSite();
    const answers = await Promise.all([
      sendRequest(port, "/"),
      sendRequest(port, "/assets/icon.svg"),
      sendRequest(port, "/nowhere"),
      sendRequest(port, "/", { Host: "evil.example" }),
      sendRequest(port, "/healthz"),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 421, 200]);
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        "content-security-policy": expect.stringMatching(/^default-src 'none'; script-src 'self'; style-src 'self';/),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
      });
      expect(headers["content-security-policy"]).not.toMatch(/unsafe|\*|http/);
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });

  it("responds to HEAD like GET without a body", async () => {
    const { port } = await startSite();
    for (const path of ["/", "/assets/icon.svg", "/live", "/metrics"]) {
      const { status, body } = await sendRequest(port, path, {}, { method: "HEAD" });
      expect([path, status, body]).toEqual([path, 200, ""]);
    }
  });

  it("serves nothing outside its folder", async () => {
    const { port } = await startSite();
    const paths = ["/assets/..%2f..%2fpackage.json", "/assets/../server.ts", "/assets/%2e%2e/server.ts", "/assets/%00"];
    const answers = await Promise.all(paths.map((path) => sendRequest(port, path)));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
  });

  it("responds with 304 for an unchanged file", async () => {
    const { port } = await startSite();
    const first = await sendRequest(port, "/assets/uPlot.esm.js");
    expect(first.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    const again = await sendRequest(port, "/assets/uPlot.esm.js", { "If-None-Match": first.headers.etag ?? "" });
    expect([again.status, again.body]).toEqual([304, ""]);
  });
});
