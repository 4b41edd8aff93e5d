/** Checks a request before it is served, in the order of the real exchange. */
import { createHmac, createPublicKey, type KeyObject, verify } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { SimulatedSubAccount } from "./account/statement.ts";
import type { Endpoint, PublicEndpoint, Query, SignedEndpoint } from "./api/endpoint.ts";
import { classicLists } from "./api/lists/classic.ts";
import { taxLists } from "./api/lists/tax.ts";
import { unifiedLists } from "./api/lists/unified.ts";
import { subAccountEndpoints } from "./api/sub-accounts.ts";
import { endpointsV1 } from "./api/v1.ts";
import { endpointsV2 } from "./api/v2.ts";
import { endpointsV3 } from "./api/v3.ts";
import type { Limits } from "./limits.ts";
import { allReadPermissions, checkPermission, type ReadPermission } from "./permissions.ts";
import type { Plan } from "./plan/plan.ts";
import { refusals } from "./refusal.ts";

/** A key of the simulated exchange, and the account it reads. */
export interface SimulatedAccount {
  name: string;
  key: string;
  secret: string;
  passphrase: string;
  /** The user that owns the key; all keys of a user share its limits. Default: a separate user. */
  user?: string;
  mode: "classic" | "unified";
  /** When a classic account was upgraded, epoch ms. Default: it always had its mode. */
  unifiedSince?: number;
  /** The permissions that the key-info endpoints report. Default: read. */
  permissions?: "read" | "trade";
  /** What the key may read. Default: everything. */
  reads?: readonly ReadPermission[];
  /** A public key in PEM; if present, ACCESS-SIGN is RSASSA-PKCS1-v1_5 with SHA-256, and `secret` is not used. */
  rsaPublicKey?: string;
  /** True for a key of demo trading, whose requests must have the header `paptrading: 1`. */
  demo?: true;
  /** Path prefixes that this key may not read. */
  forbidden?: readonly string[];
  /** The user id of the main account, for the key of a sub-account. */
  subAccountOf?: string;
  /** The addresses to which the key is bound. Default: none. */
  addresses?: string;
  /** The sub-accounts that this key sees, in the order of their creation; the user of the simulator may change them at any time. */
  subAccounts?: SimulatedSubAccount[];
  /** What the account owns and does. Default: what chance gives it. */
  plan?: Plan;
}

export interface Request {
  method: string;
  /** Path and query exactly as received. */
  target: string;
  headers: IncomingHttpHeaders;
  /** The IP address of the client. */
  address: string;
}

/** A request that passed all checks; `left` is the number of further requests that its limit allows now. */
export type Admitted = { query: Query; left: number } & (
  | { endpoint: SignedEndpoint; account: SimulatedAccount }
  | { endpoint: PublicEndpoint; account: null }
);

export interface GatewayOptions {
  accounts: readonly SimulatedAccount[];
  v1: boolean;
  limits: Limits;
  /** Endpoints in addition to the modelled ones, which take precedence. */
  endpoints: readonly Endpoint[];
  /** The exchange's clock. */
  now(): number;
}

const allowedSkew = 30_000;
const byPath = (endpoints: readonly Endpoint[]) => endpoints.map((one) => [one.path, one] as const);
const modelled: ReadonlyMap<string, Endpoint> = new Map(
  byPath([
    ...endpointsV1,
    ...endpointsV2,
    ...endpointsV3,
    ...subAccountEndpoints,
    ...classicLists,
    ...taxLists,
    ...unifiedLists,
  ]),
);

/** Returns whether the path belongs to an endpoint that the simulator has a model of. */
export const isModelled = (path: string): boolean => modelled.has(path);

/** Returns a function that checks a request. @throws Refusal if the exchange would reject it */
export function createGateway({
  accounts,
  v1,
  limits,
  endpoints,
  now,
}: GatewayOptions): (request: Request) => Admitted {
  const served = new Map([...byPath(endpoints), ...modelled]);
  const byKey = new Map(accounts.map((account) => [account.key, account]));
  const publicKeys = new Map<SimulatedAccount, KeyObject>(
    accounts.flatMap((account) => (account.rsaPublicKey ? [[account, createPublicKey(account.rsaPublicKey)]] : [])),
  );

  function admit(request: Request): Admitted {
    if (!limits.countAddress(request.address)) throw refusals.tooMany();
    const { path, query } = parseTarget(request.target);
    if (!v1 && /^\/api\/(spot|mix)\/v1\//.test(path)) throw refusals.v1SwitchedOff();
    const endpoint = served.get(path);
    if (!endpoint || request.method !== "GET") throw refusals.unknownPath();
    if (!endpoint.signed) return { endpoint, account: null, query, left: count(request.address, endpoint) };
    const account = identify(request);
    checkMode(account, endpoint);
    checkSignature(account, request);
    const isForbidden = account.forbidden?.some((prefix) => path.startsWith(prefix));
    if (isForbidden) throw refusals.notPermitted(path.includes("mix") ? "futures holdings" : "account");
    checkPermission(path, account.reads ?? allReadPermissions);
    return { endpoint, account, query, left: count(userOf(account), endpoint) };
  }

  function identify({ headers }: Request): SimulatedAccount {
    const key = headers["access-key"];
    if (typeof key !== "string" || key === "") throw refusals.noKey();
    const account = byKey.get(key);
    if (!account) throw refusals.unknownKey();
    if ((headers.paptrading === "1") !== (account.demo === true)) throw refusals.wrongEnvironment();
    return account;
  }

  function checkSignature(account: SimulatedAccount, { headers, method, target }: Request): void {
    const { "access-sign": sign, "access-timestamp": timestamp, "access-passphrase": passphrase } = headers;
    if (typeof sign !== "string" || sign === "") throw refusals.noSignature();
    if (typeof timestamp !== "string" || timestamp === "") throw refusals.noTimestamp();
    if (typeof passphrase !== "string" || passphrase === "") throw refusals.noPassphrase();
    if (!/^\d+$/.test(timestamp)) throw refusals.badTimestamp();
    if (Math.abs(Number(timestamp) - now()) > allowedSkew) throw refusals.expired();
    const signed = timestamp + method + target;
    const publicKey = publicKeys.get(account);
    const good = publicKey
      ? verify("RSA-SHA256", Buffer.from(signed), publicKey, Buffer.from(sign, "base64"))
      : createHmac("sha256", account.secret).update(signed).digest("base64") === sign;
    if (!good) throw refusals.badSignature();
    if (passphrase !== account.passphrase) throw refusals.badPassphrase();
  }

  function count(owner: string, { path, perSecond }: Endpoint): number {
    const left = limits.countEndpoint(owner, path, perSecond);
    if (left === null) throw refusals.tooMany();
    return left;
  }

  return admit;
}

export const userOf = ({ name, user = name }: SimulatedAccount): string => user;

/** Checks the mode of the account, before the signature, as the exchange does. */
function checkMode({ mode }: SimulatedAccount, { version }: Endpoint): void {
  if (mode === "unified" && version !== "v3") throw refusals.isUnified();
  if (mode === "classic" && version === "v3") throw refusals.isClassic();
}

function parseTarget(target: string): { path: string; query: Query } {
  const [path = "", text = ""] = target.split("?", 2);
  return { path, query: Object.fromEntries(new URLSearchParams(text)) };
}
