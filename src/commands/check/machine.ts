/** Checks of this machine: the version of Node.js, the mode of `.env`, the disk and the port of the dashboard. */
import { statSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { oldestNode } from "../../monitoring/version.ts";
import { localText } from "../../queries/periods.ts";
import { isOpenToOthers } from "../../settings/file-text.ts";
import type { HttpSettings } from "../../settings/sections/pages.ts";
import { type DiskSpace, describeDiskSpace } from "../../store/files/disk.ts";
import { describeListenError } from "../../web/server.ts";
import { failed, ok, type Result, warning } from "./finding.ts";

/** Checks a version of Node.js, such as "v20.19.1". */
export function checkNode(version: string): Result {
  const oldest = oldestNode();
  const numbers = (text: string) =>
    text
      .replace(/^v/, "")
      .split(".")
      .map((part) => Number.parseInt(part, 10));
  const [[major = 0, minor = 0], [least = 0, leastMinor = 0]] = [numbers(version), numbers(oldest)];
  if (major > least || (major === least && minor >= leastMinor)) return ok(`Node.js ${version}`);
  return failed(`Node.js ${version} is too old`, `install ${oldest} or newer`);
}

/** Checks the mode of `.env`. One with keys that others can read was refused before. */
export function checkEnvFile(folder: string): Result {
  const path = resolve(folder, ".env");
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return ok("there is none; the settings come from the environment");
  if (isOpenToOthers(found.mode)) return warning(`${path} has no keys, but others can read it`, `chmod 600 ${path}`);
  return ok(`only you can read ${path}`);
}

/** Says which time zone days and reports have, and its time. */
export const checkTimezone = (timezone: string, now: number): Result =>
  ok(`days and reports are those of ${timezone}, where it is ${localText(now, timezone).slice(0, 16)}`);

/** Checks the free space of the disk that holds the database. */
export function checkDisk(databasePath: string, space: DiskSpace): Result {
  if (space.level !== "enough")
    return { state: space.level === "none" ? "failed" : "warning", message: describeDiskSpace(databasePath, space) };
  return ok(
    Number.isFinite(space.freeBytes)
      ? `${(space.freeBytes / 1e9).toFixed(1)} GB are free`
      : "the system does not report the free space",
  );
}

/** Checks that the dashboard can listen on its port, or that this program serves it already. */
export async function checkPort(http: HttpSettings | null): Promise<Result> {
  if (http === null) return ok("the dashboard is switched off (HTTP_PORT is empty)");
  const { host, port } = http;
  if (port === 0) return ok("the dashboard takes a free port (HTTP_PORT is 0)");
  const error = await listenError(http);
  if (error === null) return ok(`port ${port} of ${host} is free for the dashboard`);
  if ((error as NodeJS.ErrnoException).code === "EADDRINUSE" && (await isDashboard(http)))
    return ok(`the dashboard answers on port ${port} of ${host}`);
  const problem = describeListenError(error, http);
  return problem === null ? failed(`cannot listen on port ${port} of ${host}: ${error.message}`) : failed(problem);
}

/** Resolves with the error of listening on an address; null if it works. */
const listenError = ({ host, port }: HttpSettings): Promise<Error | null> =>
  new Promise((done) => {
    const server = createServer();
    server.once("error", done);
    server.listen(port, host, () => server.close(() => done(null)));
  });

/** Addresses of all interfaces, at which nothing can be requested. */
const allInterfaces = new Set(["0.0.0.0", "::"]);

/** Returns the address of the dashboard as a browser on this machine requests it. */
export function dashboardUrl({ host, port }: HttpSettings): string {
  const name = allInterfaces.has(host) ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}/`;
}

/** Resolves with whether what listens there answers as this program does. */
export async function isDashboard(http: HttpSettings): Promise<boolean> {
  try {
    const response = await fetch(`${dashboardUrl(http)}healthz`, { signal: AbortSignal.timeout(5000) });
    const body = (await response.json()) as { status?: unknown };
    return ["ok", "stale", "unavailable"].includes(String(body.status));
  } catch {
    return false;
  }
}
