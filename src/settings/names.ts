/** The names of all settings, so that a misspelt one is not taken for one that is not set. */
import { closest, distance } from "fastest-levenshtein";
import { isProxySetting } from "../network/proxy.ts";
import { accountSecret, accountVersion } from "./sections/accounts.ts";
import { allSettings } from "./table.ts";

const names = new Set(allSettings.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name])));
const secrets = new Set(allSettings.filter(({ secret }) => secret === "always").map(({ name }) => name));

const isOfAccount = (name: string): boolean =>
  accountVersion.test(name) || (name === name.toUpperCase() && accountSecret.test(name.replace(/_FILE$/, "")));

export const isKnownSetting = (name: string): boolean =>
  names.has(name) || isOfAccount(name) || isProxySetting(name) || /^no_proxy$/i.test(name);

/** Tells whether the value is a secret, in whatever case the name is written: `BITGET_HEDGE_API_PASSPHRASE`, `http_token`. */
export const isSecretSetting = (name: string): boolean => secrets.has(name.toUpperCase()) || accountSecret.test(name);

/** Nobody else's settings begin like this. */
const ownPrefix = /^(BITGET|SCHEDULE|ALERT|HEARTBEAT|REPORTS|KEEP_RAW|RUN_DEADLINE|SQL_TIMEOUT)_/i;

const letters = (name: string): string => name.toUpperCase().replace(/[_.-]/g, "");
const byLetters = new Map([...names].map((name) => [letters(name), name]));
const sorted = (text: string): string => [...text].sort().join("");

/** Returns the setting that was probably meant by a name that is none; null where none is near. */
function closestSetting(name: string): string | null {
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
  const meant = closestSetting(name);
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
  return ownPrefix.test(name) && closestUnsetSetting(name, isSet) !== null ? nameProblem(name) : null;
}

/** Returns a sentence on a variable that may be another program's or a misspelt setting which is not set; null where it is neither. */
export function unreadNameWarning(name: string, isSet: (setting: string) => boolean): string | null {
  const meant = ownPrefix.test(name) ? null : closestUnsetSetting(name, isSet);
  return meant && `${name} is set and read by nothing here; did you mean ${meant}?`;
}

function closestUnsetSetting(name: string, isSet: (setting: string) => boolean): string | null {
  if (isKnownSetting(name)) return null;
  const meant = isKnownSetting(name.toUpperCase()) ? name.toUpperCase() : closestSetting(name);
  return meant === null || isSet(meant) || isSet(`${meant}_FILE`) ? null : meant;
}
