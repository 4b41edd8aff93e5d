/** Settings: environment -> Config. Every problem is named, all at once, before anything connects. */
import { isIP } from "node:net";
import { resolve } from "node:path";
import { parseProductType } from "../bitget/product-types.ts";
import { type Pattern, parsePattern } from "../core/cron.ts";
import {
  type Account,
  type ApiVersion,
  type DatasetName,
  type ProductType,
  publicAccount,
  Secret,
} from "../core/domain.ts";
import { ConfigError } from "../core/errors.ts";
import { realPath } from "../core/path.ts";
import { secretsOfUrl } from "../core/text.ts";
import { datasetNames } from "../datasets/index.ts";
import { isLoopback, noProxy, type ProxySettings, readProxySettings, secretsOfProxy } from "../network/proxy.ts";
import { type AlertSettings, readAlertSettings } from "./alerts.ts";
import { type Environment, leaks } from "./env-file.ts";
import { readSecretFile, secretOf, secretProblem } from "./secret-value.ts";
import { timezoneProblem } from "./timezone.ts";

/** Where the pages are served. */
export interface HttpSettings {
  host: string;
  /** 0: one that is free. */
  port: number;
  /** Null: nobody is asked for one. */
  token: Secret | null;
  /** Names of this machine by which the pages may be asked for, beside its addresses; in small letters. */
  names: string[];
}

export interface Config {
  accounts: Account[];
  baseUrl: string;
  fallbackBaseUrl: string | null;
  demoTrading: boolean;
  productTypes: ProductType[];
  allowWriteKeys: boolean;
  /** Absolute path of the SQLite file. */
  databasePath: string;
  /** Null: the dataset is switched off. */
  schedules: Record<DatasetName, Pattern | null>;
  runDeadlineSeconds: number;
  sqlTimeoutSeconds: number;
  /** Whole days that answers are kept as they came; 0: not at all. */
  keepRawDays: number;
  /** The IANA name of the time zone whose days reports are about. */
  timezone: string;
  /** When the daily reports are written. Null: never. */
  reportsSchedule: Pattern | null;
  /** Absolute path of the folder they are written into. */
  reportsDirectory: string;
  /** Null: no pages. */
  http: HttpSettings | null;
  /** Called after each complete cycle. Null: nobody is. */
  heartbeatUrl: Secret | null;
  alerts: AlertSettings;
  /** How all that is not this machine is asked. */
  proxy: ProxySettings;
  logLevel: string;
  logFormat: "pretty" | "json";
}

const defaultSchedule = "*/5 * * * *";
const levels = ["trace", "debug", "info", "warn", "error", "silent"] as const;
const apiVersions = ["auto", "v1", "v2", "v3"] as const;

const hostName = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

/** Shorter ones could not be kept out of the log reliably; the exchange's own are longer. */
const shortestSecret = 8;

/** Nobody guesses a random one of this length. */
const shortestToken = 16;

/** Nobody on the way can read it. */
const isSafe = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" || (protocol === "http:" && isLoopback(hostname.replace(/^\[|\]$/g, "")));

export const scheduleSetting = (dataset: DatasetName): string =>
  `SCHEDULE_${dataset.toUpperCase().replaceAll("-", "_")}`;

/**
 * Reads the settings. `credentials: false` leaves the accounts empty, for commands that only look at the database; and
 * `http`, unless `pages` is true, and the webhook of the alerts, unless `webhook` is.
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
  const problems = credentials ? leaks(env) : [];
  const report = (setting: string, problem: string) => problems.push(`${setting} ${problem}`);

  const read = (setting: string): string => (env[setting] ?? "").trim();

  function choice<T extends string>(setting: string, all: readonly T[], fallback: T): T {
    const value = read(setting).toLowerCase();
    if (value === "") return fallback;
    const found = all.find((one) => one === value);
    if (found === undefined) report(setting, `is "${value}"; it can be ${all.join(", ")}`);
    return found ?? fallback;
  }

  function flag(setting: string, fallback = false): boolean {
    return choice(setting, ["true", "false", "1", "0"], fallback ? "true" : "false").match(/true|1/) !== null;
  }

  function url(setting: string, fallback: string | null): string | null {
    const value = read(setting) || fallback;
    if (value === null) return null;
    const parsed = URL.canParse(value) ? new URL(value) : null;
    if (!parsed || !isSafe(parsed))
      report(setting, "must be an https:// address (http:// only for this machine itself)");
    else if (parsed.username || parsed.password) report(setting, "must not contain a user name or password");
    else if (parsed.pathname !== "/" || parsed.search || parsed.hash)
      report(setting, "must be a host alone, without a path");
    else return parsed.origin;
    return null;
  }

  function secret(setting: string, shortest = shortestSecret): Secret {
    const file = read(`${setting}_FILE`);
    const given = read(setting);
    if (file !== "" && given !== "") {
      report(setting, `and ${setting}_FILE are both set; keep one`);
      return new Secret(given);
    }
    const { text, problem } = file === "" ? { text: given, problem: null } : readSecretFile(file);
    if (problem !== null) {
      report(`${setting}_FILE`, problem);
      return new Secret("");
    }
    const value = secretOf(text);
    const wrong = secretProblem(value, shortest);
    if (wrong !== null) report(setting, file === "" ? wrong : `${wrong} (in ${file})`);
    return new Secret(value);
  }

  const optionalSecret = (setting: string): Secret | null =>
    read(setting) === "" && read(`${setting}_FILE`) === "" ? null : secret(setting);

  function secretUrl(setting: string): Secret | null {
    const value = optionalSecret(setting);
    const parsed = value && URL.canParse(value.reveal()) ? new URL(value.reveal()) : null;
    if (value && (!parsed || !isSafe(parsed) || parsed.username || parsed.password))
      report(setting, "must be an https:// address without user name (http:// only for this machine itself)");
    return value;
  }

  function accounts(): Account[] {
    const names = (read("BITGET_ACCOUNTS") || "main").split(",").map((name) => name.trim());
    const seen = new Set<string>();
    const fallback = choice("BITGET_API_VERSION", apiVersions, "auto");
    const all = names.map((name) => {
      if (!/^[a-z][a-z0-9_]{0,31}$/i.test(name))
        report(
          "BITGET_ACCOUNTS",
          `has the name "${name.slice(0, 40)}"; a name is a letter and then letters, digits or _`,
        );
      else if (name.toLowerCase() === publicAccount)
        report("BITGET_ACCOUNTS", `cannot use "${name}"; it stands for public data`);
      else if (seen.has(name.toLowerCase())) report("BITGET_ACCOUNTS", `names "${name}" twice`);
      seen.add(name.toLowerCase());
      const prefix = names.length === 1 && name === "main" ? "BITGET" : `BITGET_${name.toUpperCase()}`;
      // A single `main` among several may keep the short names it began with.
      const short = name === "main" && read(`${prefix}_API_KEY`) === "" && read(`${prefix}_API_KEY_FILE`) === "";
      const own = short ? "BITGET" : prefix;
      return {
        name,
        key: secret(`${own}_API_KEY`),
        secret: secret(`${own}_API_SECRET`),
        passphrase: secret(`${own}_API_PASSPHRASE`),
        api: choice<ApiVersion | "auto">(`BITGET_${name.toUpperCase()}_API_VERSION`, apiVersions, fallback),
      };
    });
    // The exchange counts requests per user: under two names one key would be asked twice as much as is allowed.
    for (const [n, { name, key }] of all.entries()) {
      const twin = all.slice(0, n).find((other) => other.key.reveal() !== "" && other.key.reveal() === key.reveal());
      if (twin) report("BITGET_ACCOUNTS", `has the same API key under "${twin.name}" and "${name}"`);
    }
    return all;
  }

  function products(): ProductType[] {
    const words = (read("BITGET_PRODUCT_TYPES") || "umcbl,dmcbl,cmcbl,sumcbl").split(",").map((word) => word.trim());
    const parsed = words.map((word) => {
      const found = parseProductType(word);
      if (found === null) report("BITGET_PRODUCT_TYPES", `has "${word.slice(0, 40)}", which is no product type`);
      return found;
    });
    return [...new Set(parsed.filter((one) => one !== null))];
  }

  function database(): string {
    const value = env.DATABASE_URL === undefined ? "file:./data/collector.db" : read("DATABASE_URL");
    if (/^postgres(ql)?:/.test(value))
      report("DATABASE_URL", "names Postgres, which is not supported yet; use file:./data/collector.db");
    else if (!/^file:(\/\/\/|(?!\/\/))[^~?#%]+$/.test(value))
      report(
        "DATABASE_URL",
        "must name a file by its plain path, as in file:./data/collector.db or file:/var/lib/collector.db",
      );
    return realPath(resolve(value.replace(/^file:(\/\/(?=\/))?/, "")));
  }

  function schedule(setting: string, fallback: string, timezone = "UTC"): Pattern | null {
    const text = env[setting] === undefined ? fallback : read(setting);
    if (text === "") return null;
    try {
      return parsePattern(text, timezone);
    } catch (error) {
      report(setting, `("${text.slice(0, 60)}") ${error instanceof Error ? error.message : "cannot be read"}`);
      return null;
    }
  }

  /** What TZ says does not matter: the same days on every machine. */
  function zone(): string {
    const value = env.TIMEZONE ?? "UTC";
    const problem = timezoneProblem(value);
    if (problem === null) return value;
    report("TIMEZONE", problem);
    return "UTC";
  }

  function folder(setting: string, fallback: string): string {
    const value = env[setting] === undefined ? fallback : read(setting);
    if (value === "" || value.includes("\0")) report(setting, `must name a folder, as in ${fallback}`);
    return resolve(value);
  }

  function whole(setting: string, fallback: number, unit: string, least: number, most: number): number {
    const value = read(setting);
    if (value === "") return fallback;
    const number = /^\d+$/.test(value) ? Number.parseInt(value, 10) : Number.NaN;
    if (!(number >= least && number <= most))
      report(setting, `is "${value.slice(0, 20)}"; it must be whole ${unit} from ${least} to ${most}`);
    return number;
  }

  const seconds = (setting: string, fallback: number) => whole(setting, fallback, "seconds", 1, 3600);

  function http(): HttpSettings | null {
    if (env.HTTP_PORT !== undefined && read("HTTP_PORT") === "") return null;
    const host = (read("HTTP_HOST") || "127.0.0.1").replace(/^\[(.*)\]$/, "$1");
    const port = whole("HTTP_PORT", 8787, "numbers", 0, 65_535);
    const names = read("HTTP_NAMES")
      .toLowerCase()
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    if (isIP(host) === 0 && !hostName.test(host))
      report("HTTP_HOST", `is "${host.slice(0, 40)}"; it must be an address of this machine, as in 127.0.0.1`);
    for (const name of names.filter((one) => !hostName.test(one)))
      report("HTTP_NAMES", `has "${name.slice(0, 40)}"; a name is that of a host alone, as in collector.example.com`);
    const asks = read("HTTP_TOKEN") !== "" || read("HTTP_TOKEN_FILE") !== "";
    const advice = "set one of 16 characters or more, as `openssl rand -hex 24` makes them";
    if (!asks && !isLoopback(host)) report("HTTP_TOKEN", `is missing, and HTTP_HOST lets others in; ${advice}`);
    else if (!asks && names.length > 0) report("HTTP_TOKEN", `is missing, and HTTP_NAMES lets others in; ${advice}`);
    return { host, port, names, token: asks ? secret("HTTP_TOKEN", shortestToken) : null };
  }

  function proxy(): ProxySettings {
    const files = ["HTTPS_PROXY", "ALL_PROXY"].filter((setting) => read(`${setting}_FILE`) !== "");
    const inFile = new Map(files.map((setting) => [setting, secret(setting).reveal()]));
    return readProxySettings((setting) => inFile.get(setting) ?? read(setting), report);
  }

  const timezone = zone();
  const config: Config = {
    accounts: credentials ? accounts() : [],
    baseUrl: url("BITGET_BASE_URL", "https://api.bitget.com") ?? "",
    fallbackBaseUrl: url("BITGET_FALLBACK_BASE_URL", null),
    demoTrading: flag("BITGET_DEMO_TRADING"),
    productTypes: products(),
    allowWriteKeys: flag("BITGET_ALLOW_WRITE_KEYS"),
    databasePath: database(),
    schedules: Object.fromEntries(
      datasetNames.map((name) => [name, schedule(scheduleSetting(name), defaultSchedule)]),
    ) as Config["schedules"],
    runDeadlineSeconds: seconds("RUN_DEADLINE_SECONDS", 60),
    sqlTimeoutSeconds: seconds("SQL_TIMEOUT_SECONDS", 10),
    keepRawDays: whole("KEEP_RAW_DAYS", 30, "days", 0, 3650),
    timezone,
    reportsSchedule: schedule("SCHEDULE_REPORTS", "5 0 * * *", timezone),
    reportsDirectory: folder("REPORTS_DIR", "./reports"),
    http: pages ? http() : null,
    heartbeatUrl: credentials ? secretUrl("HEARTBEAT_URL") : null,
    alerts: readAlertSettings({ read, report, choice, flag, whole, secretUrl: webhook ? secretUrl : () => null }),
    proxy: credentials || webhook ? proxy() : noProxy,
    logLevel: choice("LOG_LEVEL", levels, "info"),
    logFormat: choice("LOG_FORMAT", ["pretty", "json"], process.stderr.isTTY ? "pretty" : "json"),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** Every secret of the settings, for the log to keep out. */
export const secretsOf = ({ accounts, http, heartbeatUrl, alerts, proxy: { proxy } }: Config): Secret[] => [
  ...accounts.flatMap((account) => [account.key, account.secret, account.passphrase]),
  ...(http?.token ? [http.token] : []),
  ...(heartbeatUrl ? secretsOfUrl(heartbeatUrl) : []),
  ...(alerts.webhook ? secretsOfUrl(alerts.webhook.url) : []),
  ...(proxy ? secretsOfProxy(proxy.url.reveal()) : []),
];
