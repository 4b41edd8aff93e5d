/** The settings of the accounts and their keys. */
import { type Account, publicAccount } from "../../core/domain.ts";
import { choice, items, secret } from "../parsers.ts";
import { type SettingsReader, section } from "../setting.ts";

export const accounts = section({
  title: "The account",
  note: "Make the key read-only.",
  settings: {
    key: {
      name: "BITGET_API_KEY",
      default: "",
      parse: secret(),
      secret: "always",
      description: "The API key of the account.",
    },
    secret: {
      name: "BITGET_API_SECRET",
      default: "",
      parse: secret(),
      secret: "always",
      description: "An HMAC secret, or an RSA private key in PEM (line breaks as \\n, or use BITGET_API_SECRET_FILE).",
    },
    passphrase: {
      name: "BITGET_API_PASSPHRASE",
      default: "",
      parse: secret(),
      secret: "always",
      description: "The passphrase of the API key.",
    },
    names: {
      name: "BITGET_ACCOUNTS",
      default: "main",
      parse: items,
      description:
        "The names of the accounts, separated by commas. With main,hedge the second account reads BITGET_HEDGE_API_KEY, BITGET_HEDGE_API_SECRET, BITGET_HEDGE_API_PASSPHRASE and, if set, BITGET_HEDGE_API_VERSION.",
    },
    api: {
      name: "BITGET_API_VERSION",
      default: "auto",
      parse: choice("auto", "v1", "v2", "v3"),
      description:
        "auto detects which API version the account uses: v2 (classic) or v3 (unified). Bitget has switched v1 off.",
    },
  },
});

/** Matches the secret settings of any account, and its version. */
export const accountSecret = /^BITGET_(\w+_)?API_(KEY|SECRET|PASSPHRASE)$/i;
export const accountVersion = /^BITGET_\w+_API_VERSION$/;

/** Reads all accounts. One key under two names is a problem: the exchange counts requests per user. */
export function readAccounts(reader: SettingsReader): Account[] {
  const { settings } = accounts;
  const names = reader.value(settings.names);
  const fallback = reader.value(settings.api);
  const all = names.map((name, index) => {
    const problem = nameProblem(name, names.slice(0, index));
    if (problem !== null) reader.report(settings.names.name, problem);
    const prefix = prefixOf(name, names.length, reader);
    return {
      name,
      key: reader.value({ ...settings.key, name: `${prefix}_API_KEY` }),
      secret: reader.value({ ...settings.secret, name: `${prefix}_API_SECRET` }),
      passphrase: reader.value({ ...settings.passphrase, name: `${prefix}_API_PASSPHRASE` }),
      api: reader.value({ ...settings.api, name: `BITGET_${name.toUpperCase()}_API_VERSION`, default: fallback }),
    };
  });
  for (const [n, { name, key }] of all.entries()) {
    const twin = all.slice(0, n).find((other) => other.key.reveal() !== "" && other.key.reveal() === key.reveal());
    if (twin) reader.report(settings.names.name, `has the same API key under "${twin.name}" and "${name}"`);
  }
  return all;
}

function nameProblem(name: string, before: readonly string[]): string | null {
  if (!/^[a-z][a-z0-9_]{0,31}$/i.test(name))
    return `has the name "${name.slice(0, 40)}"; a name is a letter and then letters, digits or _`;
  if (name.toLowerCase() === publicAccount) return `cannot use "${name}"; it stands for public data`;
  if (before.some((other) => other.toLowerCase() === name.toLowerCase())) return `names "${name}" twice`;
  return null;
}

/** Returns the prefix of an account's settings: `BITGET` for a single `main`, and for one among several unless `BITGET_MAIN_API_KEY` is set. */
function prefixOf(name: string, count: number, reader: SettingsReader): string {
  if (name === "main" && count === 1) return "BITGET";
  const own = `BITGET_${name.toUpperCase()}`;
  const hasKey = reader.text(`${own}_API_KEY`) !== "" || reader.text(`${own}_API_KEY_FILE`) !== "";
  return name === "main" && !hasKey ? "BITGET" : own;
}
