/** Defines the tables of alerts: those that are open at present, and the notifications up to the shown instant. */
import { publicAccount } from "../../../core/domain.ts";
import { instantText } from "../../../queries/close.ts";
import { count, type DataTable, instant, text } from "../table.ts";
import { openAlerts } from "./alerts.ts";

const maxMessages = 1000;

export const alerts: DataTable = {
  name: "alerts",
  summary: "the alerts that are open at present, newest first",
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
    const messages = view.history.lastMessages(maxMessages);
    for (const { name, account, kind, what, firedAt } of openAlerts(view).reverse()) {
      const fired = messages.find(({ alert, state }) => alert === name && state === "fired");
      const { value = null, threshold = null, sentence = null } = fired ?? {};
      yield { since: instantText(firedAt), account, kind, what, value, threshold, sentence };
    }
  },
};

export const notifications: DataTable = {
  name: "notifications",
  summary: "the newest 1,000 notifications of alerts, with their deliveries",
  columns: [
    instant("at", "At"),
    text("account", "Account"),
    text("kind", "Rule"),
    text("state", "State"),
    text("sentence", "Notification"),
    text("delivery", "Delivery"),
    count("attempts", "Attempts"),
    text("problem", "Problem"),
  ],
  *rows({ history, account: selected, at: until }) {
    const isSelected = (account: string) => selected === null || account === selected || account === publicAccount;
    for (const { at, account, kind, state, sentence, delivery, attempts, problem } of history.lastMessages(maxMessages))
      if (at <= until && isSelected(account))
        yield {
          at: instantText(at),
          account,
          kind,
          state,
          sentence,
          delivery: delivery === "log" ? "log only" : delivery,
          attempts: BigInt(attempts),
          problem,
        };
  },
};
