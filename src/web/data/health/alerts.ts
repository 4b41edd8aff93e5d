/** Reads the alerts that were open at the shown instant, and those of now for the header. */
import { publicAccount } from "../../../core/domain.ts";
import { maxMessages } from "../../../store/alerts/alert-state.ts";
import type { Message, OpenAlert } from "../../../store/alerts/alert-store.ts";
import type { View } from "../table.ts";

const isSelected = ({ account }: { account: string }, view: View): boolean =>
  view.account === null || account === view.account || account === publicAccount;

/** Returns the alerts of an account and of the public data, or of all accounts (null), that are open now, oldest first. */
export const openAlerts = (view: View): OpenAlert[] => view.history.openAlerts().filter((one) => isSelected(one, view));

/** An alert that was open at the shown instant. */
export interface ShownAlert extends Pick<OpenAlert, "account" | "kind" | "what" | "firedAt"> {
  /** The notification that it fired; null if it is not kept any more. */
  fired: Message | null;
  /** False if it has ended without a notification, because its rule was switched off: when, is not known. */
  isCertain: boolean;
}

/** Returns the alerts that were open at the shown instant, oldest first, and whether the notifications of then are still kept. */
export function shownAlerts(view: View): { alerts: ShownAlert[]; isComplete: boolean } {
  const { history, at } = view;
  const kept = history.lastMessages(maxMessages);
  const messages = kept.filter((one) => isSelected(one, view));
  const fired = new Map(messages.filter(({ state }) => state === "fired").map((one) => [one.alert, one]));
  const endedAt = new Map(messages.filter(({ state }) => state !== "fired").map((one) => [one.alert, one.at]));
  const open = openAlerts(view).map((one) => ({ ...one, fired: fired.get(one.name) ?? null, isCertain: true }));
  const isOpen = new Set(open.map(({ name }) => name));
  const ended = [...fired.values()]
    .filter(({ alert }) => !isOpen.has(alert) && (endedAt.get(alert) ?? at + 1) > at)
    .map((one) => ({ ...one, firedAt: one.at, fired: one, isCertain: endedAt.has(one.alert) }));
  const oldest = kept.at(-1);
  const openThen = [...open, ...ended].filter(({ firedAt }) => firedAt <= at);
  return {
    alerts: view.isNow ? open : openThen.sort((a, b) => a.firedAt - b.firedAt),
    // The first notification of a store has the id 1.
    isComplete: view.isNow || !oldest || oldest.id === 1 || oldest.at <= at,
  };
}
