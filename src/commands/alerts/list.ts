import { shownSentence, shownSubject } from "../../alerts/messages.ts";
import { findUnevaluated, type Unevaluated } from "../../alerts/unevaluated.ts";
import { UsageError } from "../../core/errors.ts";
import { loadConfig } from "../../settings/config.ts";
import type { Message, OpenAlert } from "../../store/alerts/alert-store.ts";
import { openHistory } from "../../store/read/open-history.ts";
import type { Command } from "../command.ts";
import { Times, timezoneOption } from "../shared/instant.ts";
import { formatTable } from "../shared/table.ts";

export const alertsList: Command = {
  examples: ["alerts list", "alerts list --limit 50", "alerts list --timezone Europe/Berlin", "alerts list --json"],
  options: [
    { flags: "--limit <n>", summary: "show at most n notifications (default: 20)" },
    { ...timezoneOption, summary: "time zone of the times in tables, such as Europe/Berlin (default: UTC)" },
    { flags: "--json", summary: "print JSON" },
  ],
  onPostgres: "mirror",
  isPaged: () => true,
  async run({ options, env, print }) {
    const limit = limitOf(options.limit);
    const times = new Times(options);
    const { databasePath, alerts, schedules } = loadConfig(env, { credentials: false });
    const history = openHistory(databasePath);
    try {
      const unevaluated = findUnevaluated(
        { snapshots: history.lastSnapshots(), rows: history.snapshotRows },
        alerts,
        (name) => schedules[name] !== null,
      );
      const messages = history.lastMessages(limit).reverse();
      const open = history.openAlerts();
      if (options.json) print(jsonOf(open, unevaluated, messages));
      else {
        const notifications = notificationLines(messages, times);
        for (const line of [...openLines(open, times), ...unevaluatedLines(unevaluated), "", ...notifications])
          print(line);
      }
      return 0;
    } finally {
      history.close();
    }
  },
};

function limitOf(option: unknown): number {
  if (option === undefined) return 20;
  if (typeof option !== "string" || !/^[1-9]\d{0,4}$/.test(option))
    throw new UsageError("--limit needs a positive whole number, as in --limit 50");
  return Number.parseInt(option, 10);
}

const instant = (at: number): string => new Date(at).toISOString();

const jsonOf = (
  open: readonly OpenAlert[],
  unevaluated: readonly Unevaluated[],
  messages: readonly Message[],
): string =>
  JSON.stringify(
    {
      schema_version: 1,
      open: open.map(({ account, kind, what, firedAt }) => ({ account, kind, subject: what, since: instant(firedAt) })),
      unevaluated: unevaluated.map(({ account, kind, what, why }) => ({ account, kind, subject: what, reason: why })),
      notifications: messages.map(({ account, kind, what, state, at, value, threshold, ...one }) => ({
        ...{ account, kind, subject: what, state, at: instant(at), value, threshold, sentence: one.sentence },
        ...{ delivery: one.delivery, attempts: one.attempts, problem: one.problem },
      })),
    },
    null,
    2,
  );

function openLines(open: readonly OpenAlert[], times: Times): string[] {
  if (open.length === 0) return ["No open alerts."];
  const rows = open.map((one) => [one.account, one.kind, shownSubject(one), times.text(one.firedAt)]);
  return formatTable(["account", "open alert", "subject", `since (${times.timezone})`], rows);
}

function unevaluatedLines(spots: readonly Unevaluated[]): string[] {
  if (spots.length === 0) return [];
  const rows = spots.map(({ account, kind, what, why }) => [account, kind, `${what} ${why}`]);
  return ["", ...formatTable(["account", "not fully evaluated", "reason"], rows)];
}

function notificationLines(messages: readonly Message[], times: Times): string[] {
  if (messages.length === 0) return ["No notifications sent."];
  const rows = messages.map((one) => [times.text(one.at), deliveryText(one), shownSentence(one)]);
  return formatTable([`at (${times.timezone})`, "delivery", "notification"], rows);
}

function deliveryText({ delivery, attempts, problem }: Message): string {
  if (delivery === "log") return "log only";
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  return `${delivery}, ${tries}${problem === null ? "" : `: ${problem.slice(0, 60)}`}`;
}
