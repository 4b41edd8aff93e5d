import { ownSettings, rulesText, settingsInForce } from "../../alerts/in-force.ts";
import { shownSentence, shownSubject } from "../../alerts/messages.ts";
import { findUnevaluated, type Unevaluated } from "../../alerts/unevaluated.ts";
import type { DatasetName } from "../../core/domain.ts";
import { UsageError } from "../../core/errors.ts";
import { loadConfig } from "../../settings/config.ts";
import { limits } from "../../settings/sections/alerts.ts";
import { type PublishedSettings, publishedSettings, type ShownSetting } from "../../settings/sections/shown.ts";
import type { Message, OpenAlert } from "../../store/alerts/alert-store.ts";
import type { HistoryReader } from "../../store/history.ts";
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
    const config = loadConfig(env, { credentials: false });
    const history = openHistory(config.databasePath);
    try {
      const found = settingsInForce(history, Date.now());
      const rules = found.length > 0 ? found : [{ ...publishedSettings(config), workers: null }];
      const unevaluated = unevaluatedBy(rules, history);
      const messages = history.lastMessages(limit).reverse();
      const open = history.openAlerts();
      if (options.json) print(jsonOf({ open, rules, unevaluated, messages }));
      else {
        const parts = [openLines(open, times), unevaluatedLines(unevaluated), ruleLines(rules)];
        for (const line of [...parts.flat(), "", ...notificationLines(messages, times)]) print(line);
      }
      return 0;
    } finally {
      history.close();
    }
  },
};

/** The settings by which alerts are evaluated; `workers` is null for those of this command, where the collector's are not known. */
type Rules = PublishedSettings & { workers: readonly string[] | null };

/** Returns what processes with these settings cannot evaluate. */
function unevaluatedBy(rules: readonly Rules[], history: HistoryReader): Unevaluated[] {
  const scheduled = new Set(history.scheduled().map(({ dataset }) => dataset));
  const last = { snapshots: history.lastSnapshots(), rows: history.snapshotRows };
  const isScheduled = (name: DatasetName) => scheduled.has(name);
  const all = rules.flatMap(({ alerts }) => findUnevaluated(last, { ...alerts, webhook: null }, isScheduled));
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

function limitOf(option: unknown): number {
  if (option === undefined) return 20;
  if (typeof option !== "string" || !/^[1-9]\d{0,4}$/.test(option))
    throw new UsageError("--limit needs a positive whole number, as in --limit 50");
  return Number.parseInt(option, 10);
}

const instant = (at: number): string => new Date(at).toISOString();

interface Listed {
  open: readonly OpenAlert[];
  rules: readonly Rules[];
  unevaluated: readonly Unevaluated[];
  messages: readonly Message[];
}

const jsonOf = ({ open, rules, unevaluated, messages }: Listed): string =>
  JSON.stringify(
    {
      schema_version: 1,
      open: open.map(({ account, kind, what, firedAt }) => ({ account, kind, subject: what, since: instant(firedAt) })),
      rules: rules.map(({ workers, shown }) => ({
        ...{ of: workers === null ? "command" : "collector", workers: workers ?? [] },
        settings: Object.fromEntries(limitsIn(shown).map(({ name, value }) => [name, value])),
      })),
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

const limitsIn = (shown: readonly ShownSetting[]) =>
  shown.filter(({ name }) => Object.values(limits.settings).some((setting) => setting.name === name));

function ruleLines(rules: readonly Rules[]): string[] {
  return [
    "",
    ...rules.flatMap(({ workers, shown }) => {
      const whose = workers && rules.length > 1 ? `${workers.join(", ")}: ` : "";
      return [`${whose}${rulesText(shown)}`, ...(workers === null ? [ownSettings] : [])];
    }),
  ];
}

function notificationLines(messages: readonly Message[], times: Times): string[] {
  if (messages.length === 0) return ["No notifications sent."];
  const rows = messages.map((one) => [times.text(one.at), deliveryText(one), shownSentence(one, times.timezone)]);
  return formatTable([`at (${times.timezone})`, "delivery", "notification"], rows);
}

function deliveryText({ delivery, attempts, problem }: Message): string {
  if (delivery === "log") return "log only";
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  return `${delivery}, ${tries}${problem === null ? "" : `: ${problem.slice(0, 60)}`}`;
}
