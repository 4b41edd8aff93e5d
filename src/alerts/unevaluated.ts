/** Lists what the enabled rules cannot evaluate at present, and why. Without an alert, those values may still exceed their limits. */

import type { DatasetName, Row } from "../core/domain.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { snapshotDatasetNamed } from "../datasets/index.ts";
import type { AlertSettings } from "../settings/sections/alerts.ts";
import type { StoredSnapshot } from "../store/alerts/alert-store.ts";
import {
  measureFuturesAccounts,
  measurePositions,
  measureUnifiedAccount,
  monitoredEquity,
} from "./measurements/limits.ts";
import { coinsText } from "./messages.ts";
import type { AlertKind } from "./rules.ts";

/** A value that a rule cannot evaluate, and why. */
export interface Unevaluated {
  account: string;
  kind: AlertKind;
  what: string;
  why: string;
}

/** The datasets that each rule with a limit reads. */
const datasetsByKind = {
  "liquidation-distance": ["positions"],
  "margin-ratio": ["positions", "mix-accounts", "equity"],
  drawdown: ["equity"],
} as const satisfies Partial<Record<AlertKind, readonly DatasetName[]>>;

type ThresholdKind = keyof typeof datasetsByKind;

/** The last snapshot of each scope, and a reader of its rows by the column names of its history view. */
export interface LastSnapshots {
  snapshots: readonly StoredSnapshot[];
  rows(dataset: Dataset, snapshotId: number): Row[];
}

/** Returns what cannot be evaluated from the last snapshots; empty if everything can. `isScheduled` returns whether a dataset is collected. */
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
      if (last.snapshots.some((snapshot) => snapshot.dataset === dataset)) return [];
      return [{ account: "", kind, what: dataset, why: "has not been collected yet" }];
    }),
  );
  const isReadBy = (kind: ThresholdKind, snapshot: StoredSnapshot) =>
    datasetsByKind[kind].some((dataset) => dataset === snapshot.dataset);
  return [
    ...unread,
    ...last.snapshots.flatMap((snapshot) =>
      kinds.filter((kind) => isReadBy(kind, snapshot)).flatMap((kind) => unevaluatedIn(last, settings, snapshot, kind)),
    ),
  ];
}

function unevaluatedIn(
  last: LastSnapshots,
  settings: AlertSettings,
  snapshot: StoredSnapshot,
  kind: ThresholdKind,
): Unevaluated[] {
  const { account, dataset, productType, errorCode } = snapshot;
  const spot = (what: string, why: string): Unevaluated => ({ account, kind, what, why });
  const what = productType === null ? dataset : `${dataset} (${productType})`;
  if (errorCode !== null) return [spot(what, `could not be read (${errorCode})`)];
  const rows = last.rows(snapshotDatasetNamed(dataset), snapshot.id);
  if (kind === "drawdown") return equityProblems(rows).map((why) => spot(what, why));
  const measurements = {
    positions: measurePositions,
    "mix-accounts": measureFuturesAccounts,
    // Only the equity of a unified account has a margin ratio.
    equity: (...given: Parameters<typeof measureUnifiedAccount>) =>
      isUnified(rows) ? measureUnifiedAccount(...given) : [],
  }[dataset as "positions" | "mix-accounts" | "equity"](snapshot, rows, settings);
  return measurements
    .filter((measured) => measured.kind === kind && measured.verdict === "unknown")
    .map((measured) => spot(measured.what, "is not reported by the exchange"));
}

const isUnified = ([row]: readonly Row[]): boolean => row !== undefined && row.unified_usdt !== null;

function equityProblems(rows: readonly Row[]): string[] {
  const watched = monitoredEquity(rows);
  if (watched && watched.unpriced.length > 0)
    return [`is evaluated without ${coinsText(watched.unpriced)}: the exchange has no price`];
  if (watched) return [];
  const missing = rows[0]?.missing;
  const names = typeof missing === "string" ? (JSON.parse(missing) as string[]) : [];
  return [names.length > 0 ? `is incomplete: no recent data of ${coinsText(names)}` : "is incomplete"];
}
