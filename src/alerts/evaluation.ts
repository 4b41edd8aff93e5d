/**
 * Collects the results of one evaluation: which alerts fire and end, and the notifications about them. Pure: the same measurements in
 * the same order give the same alerts. The caller stores all changes at once.
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

/** The alerts during one evaluation, and their changes so far. */
export class Evaluation {
  readonly messages: Notification[] = [];
  readonly #before: readonly OpenAlert[];
  readonly #open: Map<string, OpenAlert>;
  readonly #delivery: DeliveryState;

  /** `open` are the alerts that have fired so far; `delivery` is the initial state of notifications. */
  constructor(open: readonly OpenAlert[], delivery: DeliveryState) {
    this.#before = open;
    this.#open = new Map(open.map((one) => [keyOf(one), one]));
    this.#delivery = delivery;
  }

  openOf(kind: AlertKind, account: string): OpenAlert[] {
    return [...this.#open.values()].filter((one) => one.kind === kind && one.account === account);
  }

  /** Fires or ends the alert of a measurement where its state requires it. `at` is epoch ms. */
  apply(measurement: Measurement, at: number, snapshotId = 0): void {
    const alert = this.#open.get(keyOf(measurement));
    if (!alert && measurement.verdict === "bad") this.#fire(measurement, at, snapshotId);
    if (alert && measurement.verdict === "good") this.#end(alert, "recovered", at, measurement);
  }

  /** Closes alerts of these kinds that a snapshot's scope no longer shows. */
  closeOthers(snapshot: StoredSnapshot, kinds: readonly AlertKind[], measurements: readonly Measurement[]): void {
    const shown = new Set(measurements.map(keyOf));
    for (const alert of this.#open.values())
      if (alert.scopeId === snapshot.scopeId && kinds.some((kind) => kind === alert.kind) && !shown.has(keyOf(alert)))
        this.close(alert, snapshot.takenAt);
  }

  close(alert: OpenAlert, at: number): void {
    this.#end(alert, "closed", at, null);
  }

  get open(): OpenAlert[] {
    return [...this.#open.values()];
  }

  /** Returns what has to be written. An alert that both fired and ended in this evaluation is no change, but has its messages. */
  changes(): { ended: OpenAlert[]; fired: OpenAlert[]; messages: Notification[] } {
    const after = new Set(this.#open.values());
    return {
      ended: this.#before.filter((one) => !after.has(one)),
      fired: this.open.filter((one) => !this.#before.includes(one)),
      messages: this.messages,
    };
  }

  #fire(measurement: Measurement, at: number, snapshotId: number): void {
    const { kind, account, subject, what, scopeId, value, threshold } = measurement;
    const name = nameOf(kind, account, subject, at, snapshotId);
    const alert = { kind, account, subject, name, what, scopeId, firedAt: at };
    this.#open.set(keyOf(measurement), alert);
    this.#notify(alert, { state: "fired", at, value, threshold, sentence: sentenceOf("fired", measurement) });
  }

  #end(alert: OpenAlert, state: Exclude<AlertState, "fired">, at: number, measurement: Measurement | null): void {
    this.#open.delete(keyOf(alert));
    const { value = null, threshold = null } = measurement ?? {};
    const sentence = measurement ? sentenceOf("recovered", measurement) : closingOf(alert);
    this.#notify(alert, { state, at, value, threshold, sentence });
  }

  #notify(
    { name, kind, account, what }: OpenAlert,
    content: Pick<Notification, "state" | "at" | "value" | "threshold" | "sentence">,
  ): void {
    this.messages.push({ alert: name, kind, account, what, delivery: this.#delivery, ...content });
  }
}

/** Returns the key that identifies an alert. */
export const keyOf = ({ kind, account, subject }: Pick<OpenAlert, "kind" | "account" | "subject">): string =>
  JSON.stringify([kind, account, subject]);

/** Returns the name of one crossing of a limit; the same whenever it is evaluated again. */
const nameOf = (...parts: (string | number)[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
