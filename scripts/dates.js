// npm run test:dates [-- DATE …]: runs the tests and the long tests at ten dates over two years, or at the given dates. The clock starts
// there and continues. Needs root on Linux and Debian's faketime; exits with 1 if a date fails.
import { spawnSync } from "node:child_process";
import { runSuite } from "./suite.js";

const dates = {
  "2026-12-31 23:58:30": "the year ends during the tests",
  "2027-01-31 12:00:00": "a month of 31 days ends, on a Sunday",
  "2027-03-14 09:59:00": "daylight saving begins in America",
  "2027-03-28 00:59:00": "daylight saving begins in Europe",
  "2027-07-17 06:00:00": "a Saturday in summer",
  "2027-10-31 00:58:30": "daylight saving ends in Europe",
  "2027-11-07 05:58:30": "daylight saving ends in America",
  "2028-02-29 12:00:00": "the leap day",
  "2028-06-30 23:58:30": "a quarter ends during the tests",
  "2028-11-30 00:00:05": "the last day of a month of 30 days",
};

const named = process.argv.slice(2);
const odd = named.find((date) => Number.isNaN(instantOf(date)));
if (odd) {
  console.error(`${odd} is not a date; write it as 2028-02-29 or "2028-02-29 12:00:00" (UTC)`);
  process.exit(64);
}

/**
 * A shell script that runs a command in a mount namespace of its own, in which the clock of every process, whatever its environment, is
 * ahead by the seconds in $1. Waits stay real.
 */
const ahead = `
set -e
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cp -a /etc "$root/etc"
find /usr/lib -name libfaketime.so.1 | head -1 > "$root/etc/ld.so.preload"
[ -s "$root/etc/ld.so.preload" ]
echo "$1" > "$root/etc/faketimerc"
mount -t tmpfs tmpfs /dev/shm
mount --bind "$root/etc" /etc
shift
export FAKETIME_DONT_FAKE_MONOTONIC=1
# Pages do not depend on the browser's clock, and Chromium loads none with a changed clock: it runs outside.
browser="\${CHROMIUM_PATH:-$(command -v chromium || true)}"
if [ -n "$browser" ]; then
  printf '#!/bin/sh\\nexec nsenter --mount=/proc/%s/ns/mnt "%s" "$@"\\n' "$PPID" "$browser" > "$root/browser"
  chmod +x "$root/browser"
  export CHROMIUM_PATH="$root/browser"
fi
"$@"`;

const through = (date) => {
  const seconds = Math.round((instantOf(date) - Date.now()) / 1000);
  return ["unshare", "--mount", "sh", "-c", ahead, "sh", `${seconds < 0 ? "" : "+"}${seconds}`];
};

/** Returns whether a process without an environment has the changed clock; prints what is missing if not. */
function isAhead(date) {
  const [command, ...words] = [...through(date), "env", "-i", process.execPath, "-p", "Date.now()"];
  const { stdout, stderr } = spawnSync(command, words, { encoding: "utf8" });
  const past = Number(stdout.trim()) - instantOf(date);
  if (stdout.trim() !== "" && past > -2000 && past < 60_000) return true;
  console.error(`the clock cannot be changed for the tests only: this needs root on Linux, and faketime (apt-get install faketime)
${stderr.trim()}`);
  return false;
}

let failures = 0;
for (const date of named.length > 0 ? named : Object.keys(dates)) {
  if (!isAhead(date)) process.exit(1);
  const { passed, lines } = runSuite(through(date));
  if (!passed) failures += 1;
  console.log(`${date}  ${passed ? "passes" : "FAILS"}  ${dates[date] ?? "requested"}: ${lines.join("\n")}`);
}
process.exit(failures > 0 ? 1 : 0);

/** Returns a date, read as UTC, in epoch ms; NaN if it is not a date. */
function instantOf(date) {
  return Date.parse(`${/\d:\d/.test(date) ? date.replace(" ", "T") : `${date}T12:00:00`}Z`);
}
