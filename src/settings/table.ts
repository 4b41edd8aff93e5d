/** All settings, in the order of `.env.example` and of the reference. A new setting is one entry of its section. */
import { accounts } from "./sections/accounts.ts";
import { limits, webhook } from "./sections/alerts.ts";
import { runs, schedules, storage } from "./sections/collecting.ts";
import { addresses, exchange, proxies } from "./sections/exchange.ts";
import { pages } from "./sections/pages.ts";
import { heartbeat, log, reading } from "./sections/reading.ts";
import { shipping } from "./sections/shipping.ts";
import { subAccounts } from "./sections/sub-accounts.ts";
import type { Section, Setting } from "./setting.ts";

export const sections: readonly Section[] = [
  accounts,
  exchange,
  addresses,
  proxies,
  schedules,
  subAccounts,
  runs,
  storage,
  shipping,
  reading,
  pages,
  heartbeat,
  webhook,
  limits,
  log,
];

export const allSettings: readonly Setting[] = sections.flatMap(({ settings }) => Object.values(settings));
