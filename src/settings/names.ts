/** Checks names against those of all settings, so that a misspelt setting is not silently ignored. */
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

/** Returns whether the value of a setting is a secret, in any case of its name: `BITGET_HEDGE_API_PASSPHRASE`, `http_token`. */
export const isSecretSetting = (name: string): boolean => secrets.has(name.toUpperCase()) || accountSecret.test(name);

/** Matches prefixes that no other program's settings have. */
const ownPrefix = /^(BITGET|SCHEDULE|SUB_ACCOUNTS|ALERT|HEARTBEAT|REPORTS|KEEP_RAW|RUN_DEADLINE|SQL_TIMEOUT)_/i;

const letters = (name: string): string => name.toUpperCase().replace(/[_.-]/g, "");
const byLetters = new Map([...names].map((name) => [letters(name), name]));
const sorted = (text: string): string => [...text].sort().join("");

/** Returns the setting that was probably meant by a name; null if none is close. */
function closestSetting(name: string): string | null {
  const given = letters(name);
  const nearest = closest(given, [...byLetters.keys()]);
  // Two swapped letters are a distance of 2.
  const isSwapped = sorted(given) === sorted(nearest);
  // Other programs have names such as SMTP_PORT, so a name without our prefix must be closer.
  const maxDistance = ownPrefix.test(name) || isSwapped ? 2 : given.slice(0, 2) === nearest.slice(0, 2) ? 1 : 0;
  return distance(given, nearest) <= maxDistance ? (byLetters.get(nearest) ?? null) : null;
}

/** Returns what is wrong with a name in `.env`, as the end of a sentence; null for a setting, ours or another program's. */
export function nameProblem(name: string): string | null {
  if (isKnownSetting(name)) return null;
  if (isKnownSetting(name.toUpperCase())) return `${name} must be in capitals: ${name.toUpperCase()}`;
  const meant = closestSetting(name);
  if (meant !== null) return `${name} is not a setting; did you mean ${meant}?`;
  if (ownPrefix.test(name)) return `${name} is not a setting; .env.example lists all settings`;
  if (name === "NODE_EXTRA_CA_CERTS")
    return `${name} has no effect here, because Node.js reads it before this file; set it in the environment`;
  return null;
}

/**
 * Returns the same for a name in the environment, where other programs have names of their own: a name is reported only if it has our
 * prefix and is close to a setting that is not set itself.
 */
export function strayNameProblem(name: string, isSet: (setting: string) => boolean): string | null {
  return ownPrefix.test(name) && closestUnsetSetting(name, isSet) !== null ? nameProblem(name) : null;
}

/** Returns a warning for a variable that may be a misspelt setting or belong to another program; null for any other. */
export function unreadNameWarning(name: string, isSet: (setting: string) => boolean): string | null {
  const meant = ownPrefix.test(name) ? null : closestUnsetSetting(name, isSet);
  return meant && `${name} is set but not used by this program; did you mean ${meant}?`;
}

function closestUnsetSetting(name: string, isSet: (setting: string) => boolean): string | null {
  if (isKnownSetting(name)) return null;
  const meant = isKnownSetting(name.toUpperCase()) ? name.toUpperCase() : closestSetting(name);
  return meant === null || isSet(meant) || isSet(`${meant}_FILE`) ? null : meant;
}
