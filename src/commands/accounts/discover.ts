import { openClients } from "../../app.ts";
import { listSubAccounts, type SubAccount } from "../../bitget/sub-accounts.ts";
import { hasSubAccounts, type Session } from "../../collecting/account-session.ts";
import { withLimit } from "../../core/async/abort.ts";
import type { ApiVersion } from "../../core/domain.ts";
import { CollectorError, UsageError } from "../../core/errors.ts";
import { datasets } from "../../datasets/index.ts";
import { loadConfig } from "../../settings/config.ts";
import type { Command } from "../command.ts";
import { textOption } from "../shared/option.ts";
import { formatTable } from "../shared/table.ts";
import { knownNames } from "../terminal/suggest.ts";

/** A sub-account, and which of its datasets can be collected. */
interface Found extends SubAccount {
  /** The main account. */
  account: string;
  /** The name under which it is collected with the key of the main account; null if that key cannot read it. */
  collectedAs: string | null;
  /** Datasets that the key of the main account reads. */
  withMainKey: readonly string[];
  /** Datasets that need a key of the sub-account. */
  withOwnKey: readonly string[];
}

export const accountsDiscover: Command = {
  examples: ["accounts discover", "accounts discover --account main", "accounts discover --account main --json"],
  details: [
    "SUB_ACCOUNTS_OF=main collects the sub-accounts of main with its key, as accounts named main/123456.",
    "The list of a classic main account has only its virtual sub-accounts, and does not contain their mode.",
    "Exit code 1 when the list of an account cannot be read; the reason is printed on stderr.",
  ],
  options: [
    {
      flags: "--account <name>",
      summary: "only this main account (default: those of SUB_ACCOUNTS_OF, else every account)",
    },
    { flags: "--json", summary: "print JSON" },
  ],
  onPostgres: "own",
  async run({ options, env, print, printError }) {
    const config = loadConfig(env);
    const names = config.accounts.map(({ name }) => name);
    const account = textOption(options, "account");
    if (account !== undefined && !names.includes(account))
      throw new UsageError(`unknown account "${account}"${knownNames("accounts", account, names)}`);
    const { of } = config.subAccounts;
    const chosen = account !== undefined ? [account] : of.length > 0 ? of : names;
    const clients = openClients({ ...config, logLevel: "silent" }, null);
    const found: Found[] = [];
    let problems = 0;
    try {
      for (const session of clients.sessions.filter(({ name }) => chosen.includes(name))) {
        try {
          found.push(...(await discover(session)));
        } catch (error) {
          if (!(error instanceof CollectorError)) throw error;
          problems += 1;
          printError(`account ${session.name}: ${error.message}`);
        }
      }
    } finally {
      clients.close();
    }
    if (options.json) print(JSON.stringify(found.map(asJson), null, 2));
    else if (found.length > 0) for (const line of formatTable(headers, found.map(cells))) print(line);
    else if (problems === 0) print("No sub-accounts.");
    return problems === 0 ? 0 : 1;
  },
};

/** Returns the sub-accounts that the key of an account lists. @throws as `listSubAccounts` */
const discover = (session: Session): Promise<Found[]> =>
  withLimit(async (signal) => {
    const version = await session.api({ signal });
    const list = await listSubAccounts(session.client, version, { signal });
    return list.map((one) => described(session.name, version, one));
  });

function described(account: string, version: ApiVersion, one: SubAccount): Found {
  const isReadable = !(version === "v3" && one.mode === "classic") && one.state !== "del";
  const own = datasets.filter((dataset) => !dataset.public);
  const nameOf = ({ name }: { name: string }) => name;
  return {
    account,
    ...one,
    collectedAs: isReadable ? `${account}/${one.uid}` : null,
    withMainKey: isReadable ? own.filter(hasSubAccounts).map(nameOf) : [],
    withOwnKey: (isReadable ? own.filter((dataset) => !hasSubAccounts(dataset)) : own).map(nameOf),
  };
}

const headers = ["account", "user id", "name", "label", "mode", "state", "with the main key", "only with its own key"];

const cells = ({ account, uid, name, label, mode, state, withMainKey, withOwnKey }: Found): string[] => [
  account,
  uid,
  name ?? "–",
  label ?? "–",
  mode ?? "unknown",
  state ?? "–",
  withMainKey.join(", ") || "nothing",
  withOwnKey.join(", "),
];

const asJson = ({ createdAt, ...rest }: Found) => ({
  ...rest,
  createdAt: createdAt === null ? null : new Date(createdAt).toISOString(),
});
