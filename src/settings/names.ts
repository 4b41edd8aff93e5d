/** The names of all settings, so that a misspelt one is not taken for one that is not set. */
import { closest, distance } from "fastest-levenshtein";
import { datasetNames } from "../datasets/index.ts";
import { isProxySetting } from "../network/proxy.ts";

const secrets = ["BITGET_API_KEY", "BITGET_API_SECRET", "BITGET_API_PASSPHRASE", "HTTP_TOKEN", "HEARTBEAT_URL"].concat(
  "ALERT_WEBHOOK_URL",
);

/** Those of a proxy have a user name and a password in them. */
const proxies = ["HTTPS_PROXY", "ALL_PROXY"];

const names = new Set([
  ...proxies.map((name) => `${name}_FILE`),
  ...secrets.flatMap((name) => [name, `${name}_FILE`]),
  ...["BITGET_ACCOUNTS", "BITGET_API_VERSION", "BITGET_BASE_URL", "BITGET_FALLBACK_BASE_URL", "BITGET_DEMO_TRADING"],
  ...["BITGET_PRODUCT_TYPES", "BITGET_ALLOW_WRITE_KEYS", "DATABASE_URL", "RUN_DEADLINE_SECONDS", "TIMEZONE"],
  ...datasetNames.map((dataset) => `SCHEDULE_${dataset.toUpperCase().replaceAll("-", "_")}`),
  ...[
    "SCHEDULE_REPORTS",
    "REPORTS_DIR",
    "KEEP_RAW_DAYS",
    "SQL_TIMEOUT_SECONDS",
    "HTTP_HOST",
    "HTTP_PORT",
    "HTTP_NAMES",
  ],
  ...["ALERT_WEBHOOK_FORMAT", "ALERT_TELEGRAM_CHAT", "ALERT_LIQUIDATION_DISTANCE", "ALERT_MARGIN_RATIO"],
  ...["ALERT_DRAWDOWN", "ALERT_DRAWDOWN_DAYS", "ALERT_STALE", "ALERT_KEY_REFUSED", "LOG_LEVEL", "LOG_FORMAT"],
]);

const ofAccount = /^BITGET_\w+_API_((KEY|SECRET|PASSPHRASE)(_FILE)?|VERSION)$/;

export const isKnownSetting = (name: string): boolean =>
  names.has(name) || ofAccount.test(name) || isProxySetting(name) || /^no_proxy$/i.test(name);

/** `BITGET_API_KEY`, `BITGET_HEDGE_API_PASSPHRASE`, `HTTP_TOKEN`, and an address that only we and whoever is called may know. */
export const isSecretSetting = (name: string): boolean =>
  /^(BITGET_(\w+_)?API_(KEY|SECRET|PASSPHRASE)|HTTP_TOKEN|HEARTBEAT_URL|ALERT_WEBHOOK_URL)$/i.test(name);

/** Nobody else's settings begin like this. */
const ownPrefix = /^(BITGET|SCHEDULE|ALERT|HEARTBEAT|REPORTS|KEEP_RAW|RUN_DEADLINE|SQL_TIMEOUT)_/i;

const letters = (name: string): string => name.toUpperCase().replace(/[_.-]/g, "");
const byLetters = new Map([...names, ...proxies, "NO_PROXY"].map((name) => [letters(name), name]));
const sorted = (text: string): string => [...text].sort().join("");

/** Returns the setting that was probably meant by a name that is none; null where none is near. */
function meantBy(name: string): string | null {
  const given = letters(name);
  const nearest = closest(given, [...byLetters.keys()]);
  // Two letters that changed places are a distance of 2.
  const isSwapped = sorted(given) === sorted(nearest);
  // Others have names such as SMTP_PORT; what begins like ours may differ more.
  const most = ownPrefix.test(name) || isSwapped ? 2 : given.slice(0, 2) === nearest.slice(0, 2) ? 1 : 0;
  return distance(given, nearest) <= most ? (byLetters.get(nearest) ?? null) : null;
}

/** Returns what is wrong with a name in `.env`, as the end of a sentence; null where it is a setting or somebody else's. */
export function nameProblem(name: string): string | null {
  if (isKnownSetting(name)) return null;
  if (isKnownSetting(name.toUpperCase())) return `${name} must be in capitals: ${name.toUpperCase()}`;
  const meant = meantBy(name);
  if (meant !== null) return `${name} is no setting; did you mean ${meant}?`;
  if (ownPrefix.test(name)) return `${name} is no setting; .env.example has them all`;
  if (name === "NODE_EXTRA_CA_CERTS")
    return `${name} has no effect here, as Node.js reads it before this file; set it in the environment`;
  return null;
}

/**
 * Returns the same for the environment, in which other programs have names of their own: only one counts that is near a setting of
 * ours which is not set itself.
 */
export function strayNameProblem(name: string, isSet: (setting: string) => boolean): string | null {
  return ownPrefix.test(name) && unsetMeantBy(name, isSet) !== null ? nameProblem(name) : null;
}

/** Returns a sentence on a variable that may be another program's or a misspelt setting which is not set; null where it is neither. */
export function unreadNameWarning(name: string, isSet: (setting: string) => boolean): string | null {
  const meant = ownPrefix.test(name) ? null : unsetMeantBy(name, isSet);
  return meant && `${name} is set and read by nothing here; did you mean ${meant}?`;
}

function unsetMeantBy(name: string, isSet: (setting: string) => boolean): string | null {
  if (isKnownSetting(name)) return null;
  const meant = isKnownSetting(name.toUpperCase()) ? name.toUpperCase() : meantBy(name);
  return meant === null || isSet(meant) || isSet(`${meant}_FILE`) ? null : meant;
}
