/**
 * Looks at what was stored since the last look and says what began and what is over. It decides from the database alone and
 * writes the state of an alert together with what is to be said of it: whenever the program ends, the next one goes on
 * where this one was, with neither a word more nor less.
 */
import { createHash } from "node:crypto";
import { codesOf, verdictOf } from "../bitget/error-codes.ts";
import { writeKey } from "../collecting/account-session.ts";
import type { Clock } from "../core/clock.ts";
import { add, isPositive, multiply, subtract } from "../core/decimal.ts";
import { type Digits, publicAccount } from "../core/domain.ts";
import { datasetNamed } from "../datasets/index.ts";
import type { AlertSettings } from "../settings/alerts.ts";
import type { AlertState, OpenAlert, Said, Seen } from "../store/alerts/alert-state.ts";
import type { Store } from "../store/store.ts";
import { ageReading } from "./ages.ts";
import {
  drawdownReading,
  futuresReadings,
  positionReadings,
  unifiedReadings,
  type Watched,
  watchedEquity,
} from "./readings.ts";
import type { AlertKind, Reading } from "./rules.ts";
import { closingOf, sentenceOf } from "./words.ts";

/** Looked at in one transaction, as long as that is over in so many milliseconds: one with many positions takes a few. */
const mostAtOnce = 100;
const longest = 20;

/** While nothing changes the position is written down only so often: looking again changes nothing either. Snapshots. */
const positionStep = 100;

/** By so much the wall clock goes ahead of the monotonic one where the machine slept. Milliseconds. */
const leastLeap = 10_000;

const hour = 3_600_000;

const refusals = [...codesOf("auth", "permission"), writeKey];

export interface Watch {
  /** What was stored up to now is the past when this is the first look ever. Ends alerts of rules that are off. */
  begin(): Promise<void>;
  /** Looks at some of what is new; resolves with what is said, and whether more is left. */
  look(): Promise<{ said: Said[]; more: boolean }>;
  /** The same for what only time tells. */
  lookAtAges(): Promise<Said[]>;
  /** Writes down how far it has looked: the next start may have other settings, which are not for what was looked at. */
  end(): Promise<void>;
}

export function createWatch(store: Store, settings: AlertSettings, clock: Clock): Watch {
  const { alertBook: book } = store;
  const delivery = settings.webhook === null ? "log" : "pending";
  /** Both clocks at the last look at ages, and since when somebody has been there to collect, by the monotonic one. */
  let seenAt = { wall: clock.now(), monotonic: clock.monotonic() };
  let thereSince = seenAt.monotonic;
  let position = 0;
  let written = 0;

  const isOn: Record<AlertKind, boolean> = {
    "liquidation-distance": settings.liquidationDistance !== null,
    "margin-ratio": settings.marginRatio !== null,
    drawdown: settings.drawdown !== null,
    stale: settings.stale,
    "key-refused": settings.keyRefused,
  };

  /** One transaction's worth of decisions. */
  function decisions() {
    const open = new Map(book.open().map((one) => [keyOf(one), one]));
    const told: Said[] = [];
    let changed = false;

    function say(
      { name, kind, account, what }: OpenAlert,
      said: Pick<Said, "state" | "at" | "value" | "threshold" | "sentence">,
    ): void {
      const message = { alert: name, kind, account, what, delivery, ...said } as const;
      changed = true;
      book.say(message);
      told.push(message);
    }

    function fire(reading: Reading, at: number, snapshotId: number): void {
      const { kind, account, subject, what, scopeId, value, threshold } = reading;
      const name = nameOf(kind, account, subject, at, snapshotId);
      const alert = { kind, account, subject, name, what, scopeId, firedAt: at };
      book.fire(alert);
      open.set(keyOf(reading), alert);
      say(alert, { state: "fired", at, value, threshold, sentence: sentenceOf("fired", reading) });
    }

    function end(alert: OpenAlert, state: Exclude<AlertState, "fired">, at: number, reading: Reading | null): void {
      book.end(alert);
      open.delete(keyOf(alert));
      const { value = null, threshold = null } = reading ?? {};
      const sentence = reading ? sentenceOf("recovered", reading) : closingOf(alert);
      say(alert, { state, at, value, threshold, sentence });
    }

    return {
      told,
      /** True where looking at the same again would be looking at it from another state. */
      changed: () => changed,
      remember() {
        changed = true;
      },
      openOf: (kind: AlertKind, account: string) =>
        [...open.values()].filter((one) => one.kind === kind && one.account === account),
      take(reading: Reading, at: number, snapshotId = 0): void {
        const alert = open.get(keyOf(reading));
        if (!alert && reading.verdict === "bad") fire(reading, at, snapshotId);
        if (alert && reading.verdict === "good") end(alert, "recovered", at, reading);
      },
      /** What the scope no longer tells of is over. */
      closeOthers(seen: Seen, kinds: readonly AlertKind[], readings: readonly Reading[]): void {
        const there = new Set(readings.map(keyOf));
        for (const alert of open.values())
          if (alert.scopeId === seen.scopeId && kinds.some((kind) => kind === alert.kind) && !there.has(keyOf(alert)))
            end(alert, "closed", seen.takenAt, null);
      },
      close: (alert: OpenAlert, at: number) => end(alert, "closed", at, null),
    };
  }

  type Decisions = ReturnType<typeof decisions>;

  function lookAt(seen: Seen, decide: Decisions): void {
    if (settings.keyRefused && seen.account !== publicAccount) lookAtKey(seen, decide);
    if (seen.errorCode !== null || !["positions", "mix-accounts", "equity"].includes(seen.dataset)) return;
    const rows = book.rows(datasetNamed(seen.dataset), seen.id);
    const take = (readings: readonly Reading[]) => {
      for (const reading of readings) decide.take(reading, seen.takenAt, seen.id);
    };
    if (seen.dataset === "positions") {
      const readings = positionReadings(seen, rows, settings);
      take(readings);
      decide.closeOthers(seen, ["liquidation-distance", "margin-ratio"], readings);
    }
    if (seen.dataset === "mix-accounts") {
      const readings = futuresReadings(seen, rows, settings);
      take(readings);
      decide.closeOthers(seen, ["margin-ratio"], readings);
    }
    if (seen.dataset !== "equity") return;
    take(unifiedReadings(seen, rows, settings));
    const { drawdown, drawdownHours } = settings;
    const equity = watchedEquity(rows);
    if (equity === null) return;
    const { greatest, isNew } = book.peak(seen.account, seen.takenAt, equity.value, drawdownHours);
    if (isNew) decide.remember();
    if (drawdown !== null) take([drawdownOf(seen, equity, greatest, drawdown)]);
  }

  /**
   * A coin that had a price within the window is in the peaks of that time: beside those its absence would look like a loss. What is a
   * loss even with its last worth taken off the peak is one.
   */
  function drawdownOf(seen: Seen, equity: Watched, greatest: Digits, drawdown: Digits): Reading {
    const { drawdownHours } = settings;
    const beside = (peak: Digits | null) => drawdownReading(seen, equity, peak, drawdown, drawdownHours);
    const reading = beside(greatest);
    if (equity.unpriced.length === 0 || reading.verdict === "good") return reading;
    const worth = book
      .lastPrices(equity.unpriced, seen.id)
      .map(({ coin, price }) => multiply(price, equity.amounts[coin] ?? "0"))
      // What was owed made no peak higher.
      .reduce((all, one) => (isPositive(one) ? add(all, one) : all), "0");
    const atLeast = beside(subtract(greatest, worth));
    if (atLeast.verdict === "bad") return atLeast;
    const pricedUntil = book.pricedUntil(equity.unpriced, seen.id, seen.takenAt - drawdownHours * hour);
    if (pricedUntil === null) return reading;
    const since = beside(book.peakAfter(seen.account, pricedUntil, seen.takenAt));
    // Beside a part of the window a loss is a loss, while its absence is no recovery.
    return since.verdict === "bad" ? since : { ...since, verdict: "unknown" };
  }

  /** Refused is the key as long as anything that is asked with it was refused the last time it was answered. */
  function lookAtKey(seen: Seen, decide: Decisions): void {
    const { account, errorCode } = seen;
    const isOpen = decide.openOf("key-refused", account).length > 0;
    if (errorCode === null ? !isOpen : !refusals.includes(errorCode)) return;
    const codes = book.verdicts(account, seen.id, refusals).flatMap(({ code }) => (code === null ? [] : [code]));
    const reading = { kind: "key-refused", account, subject: "key", what: "API key", scopeId: null } as const;
    const [code] = codes;
    const judged =
      code === undefined
        ? ({ verdict: "good", how: "is accepted" } as const)
        : ({ verdict: "bad", how: `is refused (${refusalText(code)})` } as const);
    decide.take({ ...reading, ...judged, value: null, threshold: null }, seen.takenAt, seen.id);
  }

  /** For how long the program has been there to collect: it is as new where the machine slept, or its clock was set. */
  function lived(now: number): number {
    const monotonic = clock.monotonic();
    const leap = now - seenAt.wall - (monotonic - seenAt.monotonic);
    seenAt = { wall: now, monotonic };
    if (leap > leastLeap) thereSince = monotonic;
    return monotonic - thereSince;
  }

  return {
    begin: () =>
      store.atomically(() => {
        for (const one of book.open()) if (!isOn[one.kind as AlertKind]) book.end(one);
        const known = book.position();
        position = written = known ?? book.newestSnapshot();
        if (known === null) book.moveTo(position);
      }),
    look: async () => {
      const outcome = await store.atomically(() => {
        const newest = book.newestSnapshot();
        const batch = book.snapshotsAfter(position, mostAtOnce);
        const decide = decisions();
        const until = clock.monotonic() + longest;
        let last: Seen | null = null;
        for (const seen of batch) {
          if (last && clock.monotonic() >= until) break;
          lookAt(seen, decide);
          last = seen;
        }
        for (const alert of book.forsaken()) decide.close(alert, clock.now());
        const more = last !== null && (last !== batch.at(-1) || batch.length === mostAtOnce);
        const to = more && last ? last.id : Math.max(newest, position);
        const keep = decide.changed() || to - written >= positionStep;
        if (keep) book.moveTo(to);
        return { said: decide.told, more, to, written: keep ? to : written };
      });
      position = outcome.to;
      written = outcome.written;
      return outcome;
    },
    async lookAtAges() {
      const now = clock.now();
      const livedMs = lived(now);
      const scheduled = store.freshness(now);
      const readings = settings.stale ? scheduled.map((one) => ageReading(one, livedMs)) : [];
      const open = book.open();
      const keys = new Set(open.map(keyOf));
      const listed = new Set(readings.map(keyOf));
      const gone = open.filter((one) =>
        one.kind === "stale"
          ? !listed.has(keyOf(one))
          : one.kind === "key-refused" && scheduled.every(({ account }) => account !== one.account),
      );
      const isNews = (one: Reading) => one.verdict === (keys.has(keyOf(one)) ? "good" : "bad");
      // Nearly always there is none, and nobody is kept from writing.
      if (gone.length === 0 && !readings.some(isNews)) return [];
      return store.atomically(() => {
        const decide = decisions();
        for (const reading of readings) decide.take(reading, now);
        for (const alert of gone) decide.close(alert, now);
        return decide.told;
      });
    },
    async end() {
      if (position === written) return;
      await store.atomically(() => book.moveTo(position));
      written = position;
    },
  };
}

const keyOf = ({ kind, account, subject }: Pick<OpenAlert, "kind" | "account" | "subject">): string =>
  JSON.stringify([kind, account, subject]);

/** The same crossing has the same name, whoever works it out. */
const nameOf = (...parts: (string | number)[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);

function refusalText(code: string): string {
  if (code === writeKey) return "it may write, and BITGET_ALLOW_WRITE_KEYS is not set";
  const { hint } = verdictOf(code, 400);
  return hint === "" ? code : `${code}: ${hint}`;
}
