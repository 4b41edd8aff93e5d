import { openClients } from "../../app.ts";
import { toJson } from "../../bitget/wire/json.ts";
import type { ApiEndpoint, ApiVersion, Params } from "../../core/domain.ts";
import { UsageError } from "../../core/errors.ts";
import { redactor } from "../../core/text.ts";
import { endpoints } from "../../datasets/endpoints.ts";
import { loadConfig, secretsOf } from "../../settings/config.ts";
import type { Command, CommandInput } from "../command.ts";
import { didYouMean, knownNames } from "../terminal/suggest.ts";

export const get: Command = {
  examples: [
    "get --list",
    "get v2/positions --param productType=USDT-FUTURES",
    "get /api/v2/spot/market/tickers --param symbol=BTCUSDT",
  ],
  options: [
    { flags: "--param <k=v>", summary: "a parameter, as the exchange names it", repeat: true },
    { flags: "--account <name>", summary: "sign with the key of this account (default: the first)" },
    { flags: "--list", summary: "print the known endpoints" },
  ],
  onPostgres: "own",
  isPaged: () => true,
  async run({ args: [endpoint], options, env, print }) {
    if (options.list) {
      for (const { name, path, params, summary } of endpoints)
        print([name.padEnd(20), path.padEnd(40), params.join(" ").padEnd(34), summary].join(" ").trimEnd());
      return 0;
    }
    if (endpoint === undefined) throw new UsageError("name an endpoint: a path (/api/…) or a name from `get --list`");
    const address = endpointNamed(endpoint);
    const params = paramsOf(options);
    const config = loadConfig(env);
    const clients = openClients(config, null);
    try {
      const { account } = options;
      const session =
        account === undefined ? clients.sessions[0] : clients.sessions.find((one) => one.name === account);
      if (!session)
        throw new UsageError(
          `unknown account "${account}"${knownNames("accounts", String(account), namesOf(config.accounts))}`,
        );
      const response = await session.client.get(address, params, { signal: AbortSignal.timeout(60_000) });
      print(redactor(secretsOf(config))(toJson(response.data, 2)));
      return 0;
    } finally {
      clients.close();
    }
  },
};

const namesOf = (all: readonly { name: string }[]): string[] => all.map(({ name }) => name);

/** Returns a known endpoint, or any path under /api/, limited to one request per second because its rate limit is unknown. */
function endpointNamed(endpoint: string): ApiEndpoint {
  const known = endpoints.find(({ name, path }) => name === endpoint || path === endpoint);
  if (known) return known;
  const suggested = didYouMean(endpoint, namesOf(endpoints));
  if (!/^\/api\/[\w./-]+$/.test(endpoint))
    throw new UsageError(
      `"${endpoint}" is neither a path (/api/…) nor a name from \`get --list\`${suggested && `; ${suggested}`}`,
    );
  const version = (/\/(v[123])\//.exec(endpoint)?.[1] ?? "v2") as ApiVersion;
  return { name: endpoint, version, path: endpoint, perSecond: 1, per: "uid", signed: true, params: [], summary: "" };
}

function paramsOf(options: CommandInput["options"]): Params {
  const pairs = Array.isArray(options.param) ? options.param : [];
  return Object.fromEntries(
    pairs.map((pair: string) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new UsageError(`--param "${pair}" must have the form name=value`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
