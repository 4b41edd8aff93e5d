/** Turns the environment into a `Config`. All problems are reported together, before anything connects. */
import { type Pattern, parsePattern } from "../core/cron.ts";
import type { Account, DatasetName, Secret } from "../core/domain.ts";
import { ConfigError } from "../core/errors.ts";
import { secretsOfUrl } from "../core/text.ts";
import { noProxy, type ProxySettings, readProxySettings, secretsOfProxy } from "../network/proxy.ts";
import { type Environment, unsafeNodeSettings } from "./env-file.ts";
import { readAccounts } from "./sections/accounts.ts";
import { type AlertSettings, readAlerts } from "./sections/alerts.ts";
import { runs, schedules, storage } from "./sections/collecting.ts";
import { type addresses, exchange, proxies, readAddresses } from "./sections/exchange.ts";
import { type HttpSettings, readPages } from "./sections/pages.ts";
import { heartbeat, log, reading } from "./sections/reading.ts";
import { shipping } from "./sections/shipping.ts";
import { readSubAccounts, type SubAccountSettings } from "./sections/sub-accounts.ts";
import { SettingsReader, type ValuesOf } from "./setting.ts";

export { scheduleSetting } from "./sections/collecting.ts";
export type { HttpSettings } from "./sections/pages.ts";

/** The settings of sections that need no further processing. */
type Plain = ValuesOf<typeof exchange> &
  ValuesOf<typeof addresses> &
  Omit<ValuesOf<typeof storage>, "database"> &
  ValuesOf<typeof shipping> &
  ValuesOf<typeof runs> &
  ValuesOf<typeof reading> &
  ValuesOf<typeof heartbeat> &
  ValuesOf<typeof log>;

export interface Config extends Plain {
  /** The absolute path of the database file; of the mirror where the history is in PostgreSQL. */
  databasePath: string;
  /** The PostgreSQL database that holds the history; null where a file does. */
  postgres: Secret | null;
  /** Empty for commands that only read the database. */
  accounts: Account[];
  /** Null: the dataset is switched off. */
  schedules: Record<DatasetName, Pattern | null>;
  subAccounts: SubAccountSettings;
  /** Null: no dashboard. */
  http: HttpSettings | null;
  alerts: AlertSettings;
  /** How everything outside this machine is reached. */
  proxy: ProxySettings;
}

/**
 * Reads the settings. `credentials: false`, for commands that only read the database, leaves the accounts empty, and also `http`
 * unless `pages` is true, the webhook of the alerts unless `webhook` is true, and the heartbeat unless both are.
 * @throws ConfigError naming every problem, never a value of a secret.
 */
export function loadConfig(
  env: Environment,
  {
    credentials = true,
    pages = credentials,
    webhook = credentials,
  }: Partial<Record<"credentials" | "pages" | "webhook", boolean>> = {},
): Config {
  const reader = new SettingsReader(env);
  const accounts = credentials ? readAccounts(reader) : [];
  const settings = {
    accounts,
    ...reader.values(exchange),
    ...readStorage(reader),
    ...reader.values(shipping),
    schedules: reader.values(schedules),
    subAccounts: readSubAccounts(reader, accounts),
    ...reader.values(runs),
    ...readReading(reader),
    http: pages ? readPages(reader) : null,
    heartbeatUrl: credentials || (pages && webhook) ? reader.value(heartbeat.settings.heartbeatUrl) : null,
    alerts: readAlerts(reader, webhook),
    proxy: credentials || webhook ? readProxies(reader) : noProxy,
    ...reader.values(log),
  };
  const config = { ...settings, ...readAddresses(reader, credentials, settings) };
  if (settings.shipTo && settings.postgres)
    reader.report(
      "SHIP_DATABASE_URL",
      "copies a database file, but DATABASE_URL names a PostgreSQL database; keep one",
    );
  const problems = [...(credentials ? unsafeNodeSettings(env) : []), ...reader.problems];
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function readStorage(reader: SettingsReader): Pick<Config, "databasePath" | "postgres" | "keepRawDays" | "workerName"> {
  const { database, ...values } = reader.values(storage);
  return { databasePath: database.path, postgres: database.postgres, ...values };
}

/** Reads the section of reports and queries, with the schedule of the reports in their time zone. */
function readReading(reader: SettingsReader): ValuesOf<typeof reading> {
  const values = reader.values(reading);
  const { reportsSchedule, timezone } = values;
  return { ...values, reportsSchedule: reportsSchedule && parsePattern(reportsSchedule.text, timezone) };
}

function readProxies(reader: SettingsReader): ProxySettings {
  const { https, all } = proxies.settings;
  const inFile = new Map<string, string>(
    [https, all]
      .filter(({ name }) => reader.text(`${name}_FILE`) !== "")
      .map((setting) => [setting.name, reader.value(setting)?.reveal() ?? ""]),
  );
  return readProxySettings(
    (name) => inFile.get(name) ?? reader.text(name),
    (name, problem) => reader.report(name, problem),
  );
}

/** Returns every secret of the settings, for redaction. */
export const secretsOf = ({
  accounts,
  http,
  heartbeatUrl,
  alerts,
  proxy: { proxy },
  postgres,
  shipTo,
}: Config): Secret[] => [
  ...accounts.flatMap((account) => [account.key, account.secret, account.passphrase]),
  ...(http?.token ? [http.token] : []),
  ...(heartbeatUrl ? secretsOfUrl(heartbeatUrl) : []),
  ...(alerts.webhook ? secretsOfUrl(alerts.webhook.url) : []),
  ...(proxy ? secretsOfProxy(proxy.url.reveal()) : []),
  ...[postgres, shipTo].flatMap((url) => (url ? secretsOfProxy(url.reveal()) : [])),
];
