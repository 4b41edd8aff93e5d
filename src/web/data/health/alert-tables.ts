/** Defines the tables of alerts: those that were open at the shown instant, and the notifications up to it. */
import { instantText } from "../../../queries/close.ts";
import { count, type DataTable, instant, text } from "../table.ts";
import { shownAlerts } from "./alerts.ts";

const maxMessages = 1000;

export const alerts: DataTable = {
  name: "alerts",
  summary:
    "the alerts that were open at the shown instant, newest first; one that ended without a notification, because its rule was switched off, counts as open",
  columns: [
    instant("since", "Since"),
    text("account", "Account"),
    text("kind", "Rule"),
    text("what", "Subject"),
    text("value", "Value when it fired"),
    text("threshold", "Limit"),
    text("sentence", "Alert"),
  ],
  *rows(view) {
    for (const { account, kind, what, firedAt, fired } of shownAlerts(view).alerts.reverse()) {
      const { value = null, threshold = null, sentence = null } = fired ?? {};
      yield { since: instantText(firedAt), account, kind, what, value, threshold, sentence };
    }
  },
};

export const notifications: DataTable = {
  name: "notifications",
  summary:
    "the newest 1,000 notifications of alerts, with their deliveries; for an instant those up to it, and how they were delivered later is null",
  columns: [
    instant("at", "At"),
    text("account", "Account"),
    text("kind", "Rule"),
    text("state", "State"),
    text("sentence", "Notification"),
    text("delivery", "Delivery"),
    count("attempts", "Attempts"),
    text("problem", "Problem"),
    text("what", "Subject"),
  ],
  *rows({ history, account: selected, at: until, isNow }) {
    const messages = history.lastMessages(maxMessages, { account: selected, until: isNow ? null : until });
    for (const { at, account, kind, what, state, sentence, delivery, attempts, problem } of messages)
      yield {
        at: instantText(at),
        account,
        kind,
        state,
        sentence,
        delivery: delivery === "log" ? "log only" : isNow ? delivery : null,
        attempts: isNow ? BigInt(attempts) : null,
        problem: isNow ? problem : null,
        what,
      };
  },
};
