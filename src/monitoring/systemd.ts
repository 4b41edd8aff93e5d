/**
 * What systemd is told of the program, where systemd has started it and asked for that (`Type=notify`, `WatchdogSec=`): when
 * it collects, that it still looks at the clock, and when it stops. By systemd's own `systemd-notify`, for Node.js knows no
 * datagrams of Unix sockets. Source: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
 */
import { execFile } from "node:child_process";
import type { Log } from "../core/log.ts";
import type { Environment } from "../settings/env-file.ts";

export interface ServiceManager {
  /** `status` is shown by `systemctl status`. */
  ready(status: string): void;
  /** To be called at every look at the clock; said a few times within the time after which the watchdog bites. */
  alive(): void;
  stopping(): void;
}

/** Does nothing where nobody asked: outside of systemd. Never throws; a failure is logged once. */
export function createServiceManager(env: Environment, log: Log, monotonic = () => performance.now()): ServiceManager {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: limit = "", WATCHDOG_PID: watched } = env;
  if (!socket) return { ready() {}, alive() {}, stopping() {} };
  const isWatched = /^\d+$/.test(limit) && (watched === undefined || watched === String(process.pid));
  const everyMs = isWatched ? Number(limit) / 1000 / 4 : Number.POSITIVE_INFINITY;
  let saidAt = monotonic();
  let hasFailed = false;
  function notify(...words: string[]): void {
    const options = { env: { NOTIFY_SOCKET: socket, PATH: env.PATH }, timeout: 5000 };
    execFile("systemd-notify", words, options, (error) => {
      if (!error || hasFailed) return;
      hasFailed = true;
      log.warn({ problem: error.message }, "systemd cannot be told how the program is; is `systemd-notify` installed?");
    });
  }
  return {
    ready: (status) => notify("--ready", `--status=${status}`),
    alive() {
      if (monotonic() - saidAt < everyMs) return;
      saidAt = monotonic();
      notify("WATCHDOG=1");
    },
    stopping: () => notify("STOPPING=1"),
  };
}
