/** The notifications that systemd receives from the daemon, by systemd's own tool and a real socket. */
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../support/files.ts";
import { start } from "../support/program.ts";
import { classic, credentials, everyDataset } from "../support/settings.ts";
import { seconds, until } from "../support/wait.ts";

/** Node.js has no datagrams of Unix sockets; this prints each that comes. */
const receiver = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    # The sender of a barrier waits until its descriptor is closed.
    data, descriptors, _, _ = socket.recv_fds(s, 4096, 4)
    for descriptor in descriptors: os.close(descriptor)
    print(data.decode().replace("\\n", " "), flush=True)
`;

import { startExchange } from "../support/exchange.ts";

const canHear = ((): boolean => {
  try {
    execFileSync("systemd-notify", ["--version"], { stdio: "ignore" });
    execFileSync("python3", ["-c", "import socket; socket.recv_fds"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

async function listen(path: string): Promise<() => string[]> {
  const child = spawn("python3", ["-c", receiver, path], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  await until(() => text.includes("bound"));
  return () => text.split("\n").slice(1, -1);
}

describe.skipIf(!canHear)("as a service of systemd (needs systemd-notify and python3)", () => {
  it("notifies when it collects, that it is alive while it ticks, and when it stops", async () => {
    const folder = temporaryFolder();
    const socket = join(folder, "notify");
    const received = await listen(socket);
    const exchange = await startExchange({ accounts: [classic] });
    onTestFinished(() => exchange.close());
    const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "4000000", HTTP_PORT: "", SCHEDULE_REPORTS: "" };
    const settings = { ...credentials(classic), ...everyDataset("* * * * * *"), BITGET_BASE_URL: exchange.url };
    const daemon = start(["start"], folder, { ...settings, ...env });

    const watchdogCount = () => received().filter((line) => line === "WATCHDOG=1").length;
    await until(() => watchdogCount() >= 2);
    expect(received()[0]).toBe("READY=1 STATUS=collecting main");

    daemon.child.kill("SIGSTOP");
    await seconds(0.3);
    const before = watchdogCount();
    await seconds(2.5);
    expect(watchdogCount()).toBe(before);
    daemon.child.kill("SIGCONT");
    await until(() => watchdogCount() > before);

    daemon.child.kill("SIGTERM");
    expect((await daemon.finished).code).toBe(0);
    await until(() => received().includes("STOPPING=1"));
  });

  it("keeps collecting if systemd cannot be notified, and logs that once", async () => {
    const folder = temporaryFolder();
    const exchange = await startExchange({ accounts: [classic] });
    onTestFinished(() => exchange.close());
    const env = { NOTIFY_SOCKET: join(folder, "none"), WATCHDOG_USEC: "1000000", HTTP_PORT: "", SCHEDULE_REPORTS: "" };
    const settings = { ...credentials(classic), ...everyDataset("* * * * * *"), BITGET_BASE_URL: exchange.url };
    const daemon = start(["start"], folder, { ...settings, ...env });

    await daemon.printed("systemd could not be notified");
    await daemon.printed('"state":"ok"');
    await seconds(2);
    expect(daemon.output().stderr.split("systemd could not be notified").length).toBe(2);
  });
});
