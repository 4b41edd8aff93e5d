/** Reads the open alerts. They are of the present, also on a page of a chosen date. */
import { publicAccount } from "../../../core/domain.ts";
import type { OpenAlert } from "../../../store/alerts/alert-store.ts";
import type { View } from "../table.ts";

/** Returns the open alerts of an account and of the public data, or of all accounts (null), oldest first. */
export const openAlerts = ({ history, account }: View): OpenAlert[] =>
  history.openAlerts().filter((one) => account === null || one.account === account || one.account === publicAccount);

/** The number of notifications in which the sentence of an alert is looked for. */
const messagesRead = 200;

/** Returns the open alerts, each with the sentence of its notification, or of its own names where that is too long ago. */
export function describedAlerts(view: View): (OpenAlert & { sentence: string })[] {
  const open = openAlerts(view);
  const messages = open.length > 0 ? view.history.lastMessages(messagesRead) : [];
  const sentences = new Map(messages.map(({ alert, sentence }) => [alert, sentence]));
  return open.map((one) => ({
    ...one,
    sentence: sentences.get(one.name) ?? `${one.account}: ${one.kind}, ${one.what}`,
  }));
}
