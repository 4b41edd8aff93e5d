/** Lists every table of the API. A new table is a declaration and a line here. */
import { balances } from "./balances.ts";
import { coin } from "./coin.ts";
import { coins } from "./coins.ts";
import { days } from "./days.ts";
import { equity } from "./equity.ts";
import { alerts, notifications } from "./health/alert-tables.ts";
import { collection, slots, workers } from "./health/collection.ts";
import { outages } from "./health/gap-events.ts";
import { gaps } from "./health/gaps.ts";
import { runs } from "./health/runs.ts";
import { ledger } from "./ledger/entries.ts";
import { reconciliation } from "./ledger/reconciliation.ts";
import { performance } from "./performance/performance.ts";
import { episodes } from "./positions/closed.ts";
import { events } from "./positions/events.ts";
import { positions } from "./positions/open.ts";
import { position } from "./positions/position.ts";
import type { DataTable } from "./table.ts";

export const tables: readonly DataTable[] = [
  equity,
  days,
  performance,
  balances,
  coins,
  coin,
  positions,
  episodes,
  position,
  events,
  collection,
  slots,
  gaps,
  outages,
  runs,
  alerts,
  notifications,
  workers,
  ledger,
  reconciliation,
];
