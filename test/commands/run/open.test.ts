import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../support/files.ts";
import { runInProcess } from "../../support/in-process.ts";
import { until } from "../../support/wait.ts";

it("starts the browser with the address of a page, once a dashboard answers", async () => {
  const folder = temporaryFolder();
  const [browser, opened] = [join(folder, "browser"), join(folder, "opened")];
  writeFileSync(browser, `#!/bin/sh\nprintf %s "$1" > "${opened}.part" && mv "${opened}.part" "${opened}"\n`);
  chmodSync(browser, 0o755);
  const server = createServer((_, response) => response.writeHead(503).end('{"status":"stale"}'));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  const HTTP_PORT = String((server.address() as AddressInfo).port);
  const url = `http://127.0.0.1:${HTTP_PORT}/positions`;
  const open = (BROWSER: string) => runInProcess(["open", "positions"], folder, { HTTP_PORT, BROWSER });
  expect(await open(browser)).toMatchObject({ code: 0, stdout: `${url}\n` });
  await until(() => existsSync(opened));
  expect(readFileSync(opened, "utf8")).toBe(url);
  expect(await open("/none/browser")).toMatchObject({ code: 1, stderr: expect.stringContaining("set BROWSER") });
});

it.each([
  [["open"], { HTTP_PORT: "9" }, 1, "No dashboard answers there"],
  [["open"], { HTTP_PORT: "" }, 78, "HTTP_PORT is empty"],
  [["open", "../etc"], { HTTP_PORT: "9" }, 64, 'unknown page "../etc"; pages: positions, '],
])("%j with %j is exit code %d", async (args, env, code, text) => {
  expect(await runInProcess(args, temporaryFolder(), env)).toMatchObject({
    code,
    stderr: expect.stringContaining(text),
  });
});
