import type { Secret } from "../../core/domain.ts";
import { UsageError } from "../../core/errors.ts";
import { durationText, escapeControlChars, shareText } from "../../core/text.ts";
import { minuteMs } from "../../core/time.ts";
import { grouped } from "../../output/shown.ts";
import { ledgerProofText } from "../../queries/ledger-proof.ts";
import { loadConfig } from "../../settings/config.ts";
import { describeDiskSpace, diskSpaceFor } from "../../store/files/disk.ts";
import type { SeriesStatus, WorkerStatus } from "../../store/history.ts";
import type { ShipStatus } from "../../store/postgres/copy/ship-status.ts";
import { withHistory } from "../../store/read/open-history.ts";
import { isLocked } from "../../store/sqlite/lock.ts";
import type { Command, CommandInput } from "../command.ts";
import { followed } from "../shared/followed.ts";
import { Times, timezoneOption } from "../shared/instant.ts";
import { missingRecordLines } from "../shared/missing-records.ts";
import { formatRecords, formatTable, narrowed } from "../shared/table.ts";
import { paint } from "../terminal/colour.ts";
import { isAnyLive, workerCells, workerHeaders, workerProblems } from "./worker-lines.ts";

export const status: Command = {
  examples: ["status", "status --watch", "status --json"],
  options: [
    { ...timezoneOption, summary: "time zone of the times in the table, such as Europe/Berlin (default: UTC)" },
    { flags: "--json", summary: "print JSON: a list with an object per dataset" },
    { flags: "--watch", summary: "show account and datasets, refreshed every two seconds until Ctrl-C" },
  ],
  onPostgres: "mirror",
  isPaged: ({ watch }) => !watch,
  details: [
    "The first line counts the due slots of the last 30 days and the open alerts; `alerts list` and `gaps` show which.",
    "With DATABASE_URL=postgres://… it also shows the workers, which record there: live, GONE, or paused.",
    "",
  ],
  async run({ options, env, print, printError, write, isColoured, isTerminal, width }) {
    const config = loadConfig(env, { credentials: false });
    const { databasePath, timezone, postgres } = config;
    if (options.watch) {
      if (options.json) throw new UsageError("--watch and --json cannot be combined");
      const { watch } = await import("./watch.ts");
      const stopFollowing = await followed(config, printError);
      return watch({ databasePath, timezone, isColoured, write }).finally(stopFollowing);
    }
    const times = new Times(options);
    const { now } = times;
    const [all, alerts, workers, proven, lost] = withHistory(
      databasePath,
      (history) =>
        [
          history.status(now),
          history.openAlerts().length,
          history.workers(now),
          ledgerProofText(history.ledgerProofs()),
          missingRecordLines(history, now),
        ] as const,
    );
    const isCollecting = postgres === null ? isLocked(databasePath) : isAnyLive(workers);
    const ship = config.shipTo && (await shipStatusOf(databasePath, config.shipTo));
    if (options.json)
      print(
        JSON.stringify(
          all.map((one) => ({
            schema_version: 1,
            ...asJson(one),
            ...(ship ? { ship: shipAsJson(ship) } : {}),
            ...(workers.length > 0 ? { workers: workers.map(workerAsJson) } : {}),
          })),
          null,
          2,
        ),
      );
    else if (all.length === 0)
      print(isCollecting ? waiting : "Nothing collected yet; start the collector with `bitget-collector start`.");
    else {
      const head = headText(all, alerts);
      for (const line of head.length > width ? head.split(" · ") : [head]) print(line, (text) => paint("title", text));
      print("");
      const hidden = printSeries(
        all,
        { isCollecting: isCollecting !== false, times, width: isTerminal ? width : Number.POSITIVE_INFINITY },
        print,
      );
      if (hidden > 0) printError(`+${hidden} columns in a wider terminal`);
      if (proven !== null)
        print(`\nThe exchange's ledger: ${proven}; \`bitget-collector reconcile\` shows the stretches.`);
      const room = diskSpaceFor(databasePath);
      if (room.level !== "enough") print(`\n${describeDiskSpace(databasePath, room)}`);
      if (all.some((one) => one.lastOkAt !== null && one.ageMs === null)) print(`\n${clockIsBehind}`);
      if (isCollecting === false) print("\nCollector not running; start it with `bitget-collector start`.");
      else if (isCollecting && all.every((one) => now - one.firstUnprocessedSlot > maxSlotDelayMs))
        print(`\n${waiting}`);
    }
    if (lost.length > 0 && !options.json) printLost(lost, print);
    if (workers.length > 0 && !options.json) printWorkers(workers, print);
    if (ship && !options.json) print(`\n${shipText(ship, now)}`);
    const isWaiting = all.length === 0 && isCollecting === true;
    return all.every((one) => one.fresh) && !isWaiting ? 0 : 1;
  },
};

/** The latest time after its slot at which a run has begun or has a row; afterwards the collector must be waiting. Milliseconds. */
const maxSlotDelayMs = 6 * minuteMs;

const clockIsBehind =
  "This machine's clock is before the last stored run, so ages are unknown. Set the clock; `bitget-collector check` compares it with the exchange.";

const waiting =
  "A collector is running, but no slot is due: it has just started, or is waiting for the exchange to confirm this machine's clock. " +
  "See its log; `bitget-collector check` compares the clocks.";

// Loaded only where it is used.
const shipStatusOf = async (path: string, url: Secret): Promise<ShipStatus> =>
  (await import("../../store/postgres/copy/ship-status.ts")).shipStatus(path, url);

const shipAsJson = ({ behindSince, ...rest }: ShipStatus) => ({ ...rest, behindSince: instant(behindSince) });

function shipText({ target, linksBehind, behindSince, isFirstCopy, problem }: ShipStatus, now: number): string {
  if (problem !== null) return `Copy in PostgreSQL: ${problem}`;
  if (linksBehind === 0) return `Copy in PostgreSQL at ${target}: up to date.`;
  const age = behindSince === null ? "" : `, for ${durationText(Math.max(0, now - behindSince))}`;
  const first = isFirstCopy ? " The first copy is not complete: its views show no gaps and no latest rows yet." : "";
  return `Copy in PostgreSQL at ${target}: ${linksBehind} links of the chain behind${age}.${first}`;
}

const instant = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

const asJson = ({
  lastOkAt,
  nextAt,
  staleAt,
  last: _,
  since: __,
  firstUnprocessedSlot: ___,
  ...rest
}: SeriesStatus) => ({
  ...rest,
  lastOkAt: instant(lastOkAt),
  nextAt: instant(nextAt),
  staleSince: rest.fresh ? null : instant(staleAt),
});

const workerAsJson = ({ seenAt, pausedUntil, ...rest }: WorkerStatus) => ({
  ...rest,
  seenAt: instant(seenAt),
  pausedUntil: instant(pausedUntil),
});

function printWorkers(workers: readonly WorkerStatus[], print: (line: string) => void): void {
  print("");
  for (const line of formatTable(workerHeaders, workers.map(workerCells))) print(line);
  for (const line of workerProblems(workers)) print(`\n${escapeControlChars(line)}`);
}

function printLost(lines: readonly string[], print: (line: string) => void): void {
  print("\nRecords that are missing:");
  for (const line of lines) print(escapeControlChars(`  ${line}`));
}

/** Returns "4,374 of 4,377 slots of 30 days ok · 1 alert". */
function headText(all: readonly SeriesStatus[], alerts: number): string {
  const sum = (of: "ok" | "due") => grouped(String(all.reduce((total, { slots }) => total + slots[of], 0)));
  const alertText = alerts === 0 ? "no alerts" : alerts === 1 ? "1 alert" : `${alerts} alerts`;
  return `${sum("ok")} of ${sum("due")} slots of 30 days ok · ${alertText}`;
}

/** Colours the state in a line of the table. */
const colourState = (line: string): string =>
  line.replace(/(?<= {2})(STALE|fresh)(?= {2})/, (state) => paint(state === "STALE" ? "bad" : "good", state));

/**
 * Prints the table of all series and their open failures; `next` is a dash while no collector runs. Returns the number of columns that
 * do not fit into `width`.
 */
function printSeries(
  all: readonly SeriesStatus[],
  { isCollecting, times, width }: { isCollecting: boolean; times: Times; width: number },
  print: CommandInput["print"],
): number {
  const [last, next] = ["last success", "next"].map((name) => `${name} (${times.timezone})`);
  const headers = ["account", "dataset", "state", last ?? "", "age", next ?? "", "24 h", "7 d", "30 d"];
  const rows = all.map((one) => [
    one.account,
    one.dataset,
    one.offered ? (one.fresh ? "fresh" : "STALE") : "not offered",
    one.lastOkAt === null ? "never" : times.text(one.lastOkAt),
    one.ageMs === null ? "" : durationText(one.ageMs),
    isCollecting && Number.isFinite(one.nextAt) ? times.text(one.nextAt).slice(11) : "–",
    percent(one.coverage.day),
    percent(one.coverage.week),
    percent(one.coverage.month),
  ]);
  const optional = ["30 d", "7 d", next ?? "", "24 h", last ?? ""];
  const table = narrowed(headers, rows, { width, optional });
  const [head = "", ...lines] = table ? formatTable(table.headers, table.rows) : formatRecords(headers, rows);
  print(head, (text) => paint("head", text));
  for (const line of lines) print(line, colourState);
  const failures = all.flatMap((one) => one.failures.map((failure) => ({ ...one, ...failure })));
  if (failures.length > 0) print("\nOpen failures:");
  for (const { account, dataset, productType, code, message } of failures)
    print(
      escapeControlChars(
        `  ${account} ${dataset}${productType ? ` ${productType}` : ""}: ${code === message ? "" : `${code} `}${message}`,
      ),
    );
  return table?.hidden ?? 0;
}

const percent = (share: number | null): string => (share === null ? "-" : shareText(share));
