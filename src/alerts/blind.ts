/** What the rules that are on cannot judge now, and why: silence there says nothing. */

import type { DatasetName, Row } from "../core/domain.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { datasetNamed } from "../datasets/index.ts";
import type { AlertSettings } from "../settings/sections/alerts.ts";
import type { StoredSnapshot } from "../store/alerts/alert-store.ts";
import { futuresReadings, positionReadings, unifiedReadings, watchedEquity } from "./readings.ts";
import type { AlertKind } from "./rules.ts";
import { coinsText } from "./words.ts";

export interface BlindSpot {
  account: string;
  kind: AlertKind;
  what: string;
  why: string;
}

/** What the rules about figures read. */
const readBy = {
  "liquidation-distance": ["positions"],
  "margin-ratio": ["positions", "mix-accounts", "equity"],
  drawdown: ["equity"],
} as const satisfies Partial<Record<AlertKind, readonly DatasetName[]>>;

type FigureKind = keyof typeof readBy;

/** The last snapshot of each scope, and what a snapshot holds by the column names of its history view. */
export interface LastAnswers {
  snapshots: readonly StoredSnapshot[];
  rows(dataset: Dataset, snapshotId: number): Row[];
}

/** Returns what cannot be judged by the last answers. `isScheduled` says whether a dataset is collected at all. */
export function blindSpots(
  last: LastAnswers,
  settings: AlertSettings,
  isScheduled: (dataset: DatasetName) => boolean,
): BlindSpot[] {
  const { liquidationDistance, marginRatio, drawdown } = settings;
  const isOn = { "liquidation-distance": liquidationDistance, "margin-ratio": marginRatio, drawdown };
  const kinds = (Object.keys(readBy) as FigureKind[]).filter((kind) => isOn[kind] !== null);
  const unread = kinds.flatMap((kind) =>
    readBy[kind].flatMap((dataset): BlindSpot[] => {
      if (!isScheduled(dataset)) return [{ account: "", kind, what: dataset, why: "is not scheduled" }];
      if (last.snapshots.some((seen) => seen.dataset === dataset)) return [];
      return [{ account: "", kind, what: dataset, why: "has not been collected yet" }];
    }),
  );
  const seenOf = (kind: FigureKind, seen: StoredSnapshot) => readBy[kind].some((dataset) => dataset === seen.dataset);
  return [
    ...unread,
    ...last.snapshots.flatMap((seen) =>
      kinds.filter((kind) => seenOf(kind, seen)).flatMap((kind) => spotsOf(last, settings, seen, kind)),
    ),
  ];
}

function spotsOf(last: LastAnswers, settings: AlertSettings, seen: StoredSnapshot, kind: FigureKind): BlindSpot[] {
  const { account, dataset, productType, errorCode } = seen;
  const spot = (what: string, why: string): BlindSpot => ({ account, kind, what, why });
  const what = productType === null ? dataset : `${dataset} (${productType})`;
  if (errorCode !== null) return [spot(what, `could not be read (${errorCode})`)];
  const rows = last.rows(datasetNamed(dataset), seen.id);
  if (kind === "drawdown") return whyNotWatched(rows).map((why) => spot(what, why));
  const readings = {
    positions: positionReadings,
    "mix-accounts": futuresReadings,
    // Only that of a unified account tells a ratio.
    equity: (...given: Parameters<typeof unifiedReadings>) => (isUnified(rows) ? unifiedReadings(...given) : []),
  }[dataset as "positions" | "mix-accounts" | "equity"](seen, rows, settings);
  return readings
    .filter((reading) => reading.kind === kind && reading.verdict === "unknown")
    .map((reading) => spot(reading.what, "is not told by the exchange"));
}

const isUnified = ([row]: readonly Row[]): boolean => row !== undefined && row.unified_usdt !== null;

function whyNotWatched(rows: readonly Row[]): string[] {
  const watched = watchedEquity(rows);
  if (watched && watched.unpriced.length > 0)
    return [`is watched without ${coinsText(watched.unpriced)}: the exchange has no price`];
  if (watched) return [];
  const missing = rows[0]?.missing;
  const names = typeof missing === "string" ? (JSON.parse(missing) as string[]) : [];
  return [names.length > 0 ? `is incomplete: ${coinsText(names)} did not tell its part` : "is incomplete"];
}
