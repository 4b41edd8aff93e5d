/**
 * Notifies systemd, if it has started the program and requested it (`Type=notify`, `WatchdogSec=`): when collecting begins, that the
 * program is alive, and when it stops. Uses `systemd-notify`, because Node.js has no Unix datagram sockets.
 * Source: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
 */
import { execFile } from "node:child_process";
import type { Log } from "../core/log.ts";
import type { Environment } from "../settings/env-file.ts";

export interface ServiceManager {
  /** `status` is shown by `systemctl status`. */
  ready(status: string): void;
  /** To be called at every tick. Notifies the watchdog four times within its time limit. */
  alive(): void;
  stopping(): void;
}

/** Creates the notifier; outside of systemd it does nothing. It never throws; the first failure is logged. */
export function createServiceManager(env: Environment, log: Log, monotonic = () => performance.now()): ServiceManager {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: limit = "", WATCHDOG_PID: watched } = env;
  if (!socket) return { ready() {}, alive() {}, stopping() {} };
  const isWatched = /^\d+$/.test(limit) && (watched === undefined || watched === String(process.pid));
  const everyMs = isWatched ? Number(limit) / 1000 / 4 : Number.POSITIVE_INFINITY;
  let notifiedAt = monotonic();
  let hasFailed = false;
  function notify(...args: string[]): void {
    const options = { env: { NOTIFY_SOCKET: socket, PATH: env.PATH }, timeout: 5000 };
    execFile("systemd-notify", args, options, (error) => {
      if (!error || hasFailed) return;
      hasFailed = true;
      log.warn({ problem: error.message }, "systemd could not be notified; is `systemd-notify` installed?");
    });
  }
  return {
    ready: (status) => notify("--ready", `--status=${status}`),
    alive() {
      if (monotonic() - notifiedAt < everyMs) return;
      notifiedAt = monotonic();
      notify("WATCHDOG=1");
    },
    stopping: () => notify("STOPPING=1"),
  };
}
