/** What the rules that are on cannot judge now, and why: silence there says nothing. */

import type { DatasetName, Row } from "../core/domain.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { datasetNamed } from "../datasets/index.ts";
import type { AlertSettings } from "../settings/sections/alerts.ts";
import type { StoredSnapshot } from "../store/alerts/alert-store.ts";
import { measureFuturesAccounts, measurePositions, measureUnifiedAccount, monitoredEquity } from "./measurements.ts";
import { coinsText } from "./messages.ts";
import type { AlertKind } from "./rules.ts";

export interface Unevaluated {
  account: string;
  kind: AlertKind;
  what: string;
  why: string;
}

/** What the rules about figures read. */
const datasetsByKind = {
  "liquidation-distance": ["positions"],
  "margin-ratio": ["positions", "mix-accounts", "equity"],
  drawdown: ["equity"],
} as const satisfies Partial<Record<AlertKind, readonly DatasetName[]>>;

type ThresholdKind = keyof typeof datasetsByKind;

/** The last snapshot of each scope, and what a snapshot holds by the column names of its history view. */
export interface LastSnapshots {
  snapshots: readonly StoredSnapshot[];
  rows(dataset: Dataset, snapshotId: number): Row[];
}

/** Returns what cannot be judged by the last answers. `isScheduled` says whether a dataset is collected at all. */
export function findUnevaluated(
  last: LastSnapshots,
  settings: AlertSettings,
  isScheduled: (dataset: DatasetName) => boolean,
): Unevaluated[] {
  const { liquidationDistance, marginRatio, drawdown } = settings;
  const isOn = { "liquidation-distance": liquidationDistance, "margin-ratio": marginRatio, drawdown };
  const kinds = (Object.keys(datasetsByKind) as ThresholdKind[]).filter((kind) => isOn[kind] !== null);
  const unread = kinds.flatMap((kind) =>
    datasetsByKind[kind].flatMap((dataset): Unevaluated[] => {
      if (!isScheduled(dataset)) return [{ account: "", kind, what: dataset, why: "is not scheduled" }];
      if (last.snapshots.some((seen) => seen.dataset === dataset)) return [];
      return [{ account: "", kind, what: dataset, why: "has not been collected yet" }];
    }),
  );
  const seenOf = (kind: ThresholdKind, seen: StoredSnapshot) =>
    datasetsByKind[kind].some((dataset) => dataset === seen.dataset);
  return [
    ...unread,
    ...last.snapshots.flatMap((seen) =>
      kinds.filter((kind) => seenOf(kind, seen)).flatMap((kind) => unevaluatedIn(last, settings, seen, kind)),
    ),
  ];
}

function unevaluatedIn(
  last: LastSnapshots,
  settings: AlertSettings,
  seen: StoredSnapshot,
  kind: ThresholdKind,
): Unevaluated[] {
  const { account, dataset, productType, errorCode } = seen;
  const spot = (what: string, why: string): Unevaluated => ({ account, kind, what, why });
  const what = productType === null ? dataset : `${dataset} (${productType})`;
  if (errorCode !== null) return [spot(what, `could not be read (${errorCode})`)];
  const rows = last.rows(datasetNamed(dataset), seen.id);
  if (kind === "drawdown") return equityProblems(rows).map((why) => spot(what, why));
  const readings = {
    positions: measurePositions,
    "mix-accounts": measureFuturesAccounts,
    // Only that of a unified account tells a ratio.
    equity: (...given: Parameters<typeof measureUnifiedAccount>) =>
      isUnified(rows) ? measureUnifiedAccount(...given) : [],
  }[dataset as "positions" | "mix-accounts" | "equity"](seen, rows, settings);
  return readings
    .filter((reading) => reading.kind === kind && reading.verdict === "unknown")
    .map((reading) => spot(reading.what, "is not told by the exchange"));
}

const isUnified = ([row]: readonly Row[]): boolean => row !== undefined && row.unified_usdt !== null;

function equityProblems(rows: readonly Row[]): string[] {
  const watched = monitoredEquity(rows);
  if (watched && watched.unpriced.length > 0)
    return [`is watched without ${coinsText(watched.unpriced)}: the exchange has no price`];
  if (watched) return [];
  const missing = rows[0]?.missing;
  const names = typeof missing === "string" ? (JSON.parse(missing) as string[]) : [];
  return [names.length > 0 ? `is incomplete: ${coinsText(names)} did not tell its part` : "is incomplete"];
}
