/**
 * What one look decides: which alerts fire and end, and what is said of them. Pure: the same readings in the same order give the
 * same alerts, and nothing is stored before all of it is.
 */
import { createHash } from "node:crypto";
import type {
  AlertState,
  DeliveryState,
  Notification,
  OpenAlert,
  StoredSnapshot,
} from "../store/alerts/alert-store.ts";
import { closingOf, sentenceOf } from "./messages.ts";
import type { AlertKind, Measurement } from "./rules.ts";

export class Evaluation {
  readonly messages: Notification[] = [];
  readonly #before: readonly OpenAlert[];
  readonly #open: Map<string, OpenAlert>;
  readonly #delivery: DeliveryState;

  /** `open` is what is wrong so far; `delivery` is the state in which messages begin. */
  constructor(open: readonly OpenAlert[], delivery: DeliveryState) {
    this.#before = open;
    this.#open = new Map(open.map((one) => [keyOf(one), one]));
    this.#delivery = delivery;
  }

  openOf(kind: AlertKind, account: string): OpenAlert[] {
    return [...this.#open.values()].filter((one) => one.kind === kind && one.account === account);
  }

  /** Fires or ends the alert of a reading, if that is what the reading says. `at` is epoch ms. */
  apply(reading: Measurement, at: number, snapshotId = 0): void {
    const alert = this.#open.get(keyOf(reading));
    if (!alert && reading.verdict === "bad") this.#fire(reading, at, snapshotId);
    if (alert && reading.verdict === "good") this.#end(alert, "recovered", at, reading);
  }

  /** Closes alerts of these kinds that a snapshot's scope no longer shows. */
  closeOthers(seen: StoredSnapshot, kinds: readonly AlertKind[], readings: readonly Measurement[]): void {
    const shown = new Set(readings.map(keyOf));
    for (const alert of this.#open.values())
      if (alert.scopeId === seen.scopeId && kinds.some((kind) => kind === alert.kind) && !shown.has(keyOf(alert)))
        this.close(alert, seen.takenAt);
  }

  close(alert: OpenAlert, at: number): void {
    this.#end(alert, "closed", at, null);
  }

  get open(): OpenAlert[] {
    return [...this.#open.values()];
  }

  /** Returns what is to be written; an alert that fired and ended in between is no change. */
  changes(): { ended: OpenAlert[]; fired: OpenAlert[]; messages: Notification[] } {
    const after = new Set(this.#open.values());
    return {
      ended: this.#before.filter((one) => !after.has(one)),
      fired: this.open.filter((one) => !this.#before.includes(one)),
      messages: this.messages,
    };
  }

  #fire(reading: Measurement, at: number, snapshotId: number): void {
    const { kind, account, subject, what, scopeId, value, threshold } = reading;
    const name = nameOf(kind, account, subject, at, snapshotId);
    const alert = { kind, account, subject, name, what, scopeId, firedAt: at };
    this.#open.set(keyOf(reading), alert);
    this.#say(alert, { state: "fired", at, value, threshold, sentence: sentenceOf("fired", reading) });
  }

  #end(alert: OpenAlert, state: Exclude<AlertState, "fired">, at: number, reading: Measurement | null): void {
    this.#open.delete(keyOf(alert));
    const { value = null, threshold = null } = reading ?? {};
    const sentence = reading ? sentenceOf("recovered", reading) : closingOf(alert);
    this.#say(alert, { state, at, value, threshold, sentence });
  }

  #say(
    { name, kind, account, what }: OpenAlert,
    said: Pick<Notification, "state" | "at" | "value" | "threshold" | "sentence">,
  ): void {
    this.messages.push({ alert: name, kind, account, what, delivery: this.#delivery, ...said });
  }
}

/** What tells an alert from the others. */
export const keyOf = ({ kind, account, subject }: Pick<OpenAlert, "kind" | "account" | "subject">): string =>
  JSON.stringify([kind, account, subject]);

/** The same crossing has the same name, however often it is worked out. */
const nameOf = (...parts: (string | number)[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
