/** The settings of the accounts and their keys. */
import { resolve } from "node:path";
import { type Account, publicAccount } from "../../core/domain.ts";
import { choice, items, secret } from "../parsers.ts";
import { type Report, type SettingsReader, section } from "../setting.ts";
import { accountName, readAccountsFile } from "./accounts-file.ts";

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
    file: {
      name: "BITGET_ACCOUNTS_FILE",
      default: null,
      parse: (text) => resolve(text),
      description:
        'Further accounts, from a JSON file of mode 0600: [{"name": "hedge", "key": "…", "secret": "…", "passphrase": "…", "api_version": "auto"}, …]. Without a key in the environment it holds all accounts.',
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

/** Returns whether the settings name any account. */
export const namesAccounts = (env: Readonly<Record<string, string | undefined>>): boolean =>
  Object.entries(env).some(
    ([name, value]) =>
      value?.trim() && (accountSecret.test(name.replace(/_FILE$/, "")) || /^BITGET_ACCOUNTS/.test(name)),
  );

/** Reads all accounts: those of the environment, then those of the file. One key under two names is a problem: the exchange counts requests per user. */
export function readAccounts(reader: SettingsReader): Account[] {
  const { names, file, api, ...credentials } = accounts.settings;
  const path = reader.value(file);
  const fallback = reader.value(api);
  const own = path !== null && !hasAccounts(reader) ? [] : readNamed(reader, fallback, path !== null);
  if (path === null) {
    reportTwins(own, (problem) => reader.report(names.name, problem));
    return own;
  }
  const report = (problem: string) => reader.report(file.name, problem);
  const parsers = { ...credentials, api: { ...api, default: fallback } };
  const all = [...own, ...readAccountsFile(path, { taken: own.map(({ name }) => name), parsers, report })];
  reportTwins(all, report);
  return all;
}

/** Returns true if the environment has an account of its own beside the file. */
function hasAccounts(reader: SettingsReader): boolean {
  const { key, secret, passphrase, names } = accounts.settings;
  const ofMain = [key, secret, passphrase].flatMap(({ name }) => [name, name.replace("BITGET_", "BITGET_MAIN_")]);
  return [names.name, ...ofMain.flatMap((name) => [name, `${name}_FILE`])].some((name) => reader.text(name) !== "");
}

/** Reads the accounts that BITGET_ACCOUNTS names; `hasOthers`: there is also a file. */
function readNamed(reader: SettingsReader, fallback: Account["api"], hasOthers: boolean): Account[] {
  const { settings } = accounts;
  const names = reader.value(settings.names);
  const isOnly = names.length === 1 && !hasOthers;
  return names.map((name, index) => {
    const problem = nameProblem(name, names.slice(0, index));
    if (problem !== null) reader.report(settings.names.name, problem);
    const prefix = prefixOf(name, isOnly, reader);
    return {
      name,
      key: reader.value({ ...settings.key, name: `${prefix}_API_KEY` }),
      secret: reader.value({ ...settings.secret, name: `${prefix}_API_SECRET` }),
      passphrase: reader.value({ ...settings.passphrase, name: `${prefix}_API_PASSPHRASE` }),
      api: reader.value({ ...settings.api, name: `BITGET_${name.toUpperCase()}_API_VERSION`, default: fallback }),
    };
  });
}

function reportTwins(all: readonly Account[], report: Report): void {
  const byKey = new Map<string, string>();
  for (const { name, key } of all) {
    const twin = byKey.get(key.reveal());
    if (twin !== undefined) report(`has the same API key under "${twin}" and "${name}"`);
    else if (key.reveal() !== "") byKey.set(key.reveal(), name);
  }
}

/** Returns why an account cannot have the name, after those `before` it, as the end of a sentence; null if it can. */
export function nameProblem(name: string, before: readonly string[] = []): string | null {
  if (!accountName.test(name))
    return `has the name "${name.slice(0, 40)}"; a name is a letter and then letters, digits or _`;
  if (name.toLowerCase() === publicAccount) return `cannot use "${name}"; it stands for public data`;
  if (before.some((other) => other.toLowerCase() === name.toLowerCase())) return `names "${name}" twice`;
  return null;
}

/** Returns the prefix of an account's settings: `BITGET` for a single `main`, and for one among several unless `BITGET_MAIN_API_KEY` is set. */
function prefixOf(name: string, isOnly: boolean, reader: SettingsReader): string {
  if (name === "main" && isOnly) return "BITGET";
  const own = `BITGET_${name.toUpperCase()}`;
  const hasKey = reader.text(`${own}_API_KEY`) !== "" || reader.text(`${own}_API_KEY_FILE`) !== "";
  return name === "main" && !hasKey ? "BITGET" : own;
}
