/**
 * Lists the sub-accounts that the key of a main account can see.
 *
 * Sources: v2 https://www.bitget.com/api-doc/common/vsubaccount/Get-Virtual-Subaccount-List (virtual sub-accounts only; newer copies of
 * the page: the key must be bound to an address), v3 https://www.bitget.com/api-doc/uta/account/sub-account/SubAccount-Get
 */
import type { ApiEndpoint, ApiVersion, Params } from "../core/domain.ts";
import { ApiError, ShapeError, UsageError } from "../core/errors.ts";
import type { Client, RequestOptions } from "./client.ts";
import { commonEndpoints } from "./endpoints.ts";
import { type KeyInfo, readKey } from "./permissions.ts";
import { asObject } from "./wire/json.ts";

export interface SubAccount {
  /** The exchange's id of the user. */
  uid: string;
  /** Null where the list does not contain it, as everything below. */
  name: string | null;
  label: string | null;
  /** Not in the list of v2. */
  mode: "classic" | "unified" | null;
  /** The exchange's word: `normal`, `freeze`, `del`. */
  state: string | null;
  /** Epoch ms. */
  createdAt: number | null;
}

type Fields = Readonly<Record<string, unknown>>;

interface List {
  endpoint: ApiEndpoint;
  size: number;
  /** The parameter that continues the list. */
  after: string;
  rows(data: Fields): unknown;
  /** Returns the cursor of the next page; null on the last page. */
  next(data: Fields, isFull: boolean): unknown;
  read(row: Fields): SubAccount;
}

const textOf = (value: unknown): string | null => {
  const text = value === null || value === undefined ? "" : String(value);
  return text === "" ? null : text;
};

const timeOf = (value: unknown): number | null => {
  const text = textOf(value);
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
};

const modes: Readonly<Record<string, SubAccount["mode"]>> = { classic: "classic", unified: "unified" };

const lists: Readonly<Record<"v2" | "v3", List>> = {
  v2: {
    endpoint: commonEndpoints["v2/sub-accounts"],
    size: 500,
    after: "idLessThan",
    rows: ({ subAccountList }) => subAccountList,
    next: ({ endId }, isFull) => (isFull ? endId : null),
    read: (row) => ({
      uid: textOf(row.subAccountUid) ?? "",
      name: textOf(row.subAccountName),
      label: textOf(row.label),
      mode: null,
      state: textOf(row.status),
      createdAt: timeOf(row.cTime),
    }),
  },
  v3: {
    endpoint: commonEndpoints["v3/sub-accounts"],
    size: 100,
    after: "cursor",
    rows: ({ list }) => list ?? [],
    next: ({ hasNext, cursor }) => (String(hasNext) === "true" ? cursor : null),
    read: (row) => ({
      uid: textOf(row.subUid) ?? "",
      name: textOf(row.username),
      label: textOf(row.note),
      mode: modes[(textOf(row.accountMode) ?? "").toLowerCase()] ?? null,
      state: textOf(row.status),
      createdAt: timeOf(row.createdTime),
    }),
  },
};

type ListVersion = keyof typeof lists;

interface Listing {
  client: Client;
  version: ListVersion;
  options: RequestOptions;
}

/**
 * Returns every sub-account in the list, in its order.
 * @throws as `Client.get`, where the key may not list them with the reason; ShapeError where a page does not fit, is repeated, or has a
 * successor and does not say how to continue
 */
export async function listSubAccounts(
  client: Client,
  version: ApiVersion,
  options: RequestOptions,
): Promise<SubAccount[]> {
  if (version === "v1") throw new UsageError("API v1 has no list of sub-accounts");
  const listing = { client, version, options };
  try {
    return await readList(listing);
  } catch (error) {
    throw await explained(error, listing);
  }
}

async function readList({ client, version, options }: Listing): Promise<SubAccount[]> {
  const list = lists[version];
  const { path } = list.endpoint;
  const all = new Map<string, SubAccount>();
  for (let after: string | null = null; ; ) {
    const params: Params = { limit: String(list.size), ...(after === null ? {} : { [list.after]: after }) };
    const { data } = await client.get(list.endpoint, params, options);
    const rows = list.rows(asObject(data) ?? {});
    if (!Array.isArray(rows)) throw new ShapeError(path, "data", "has no list of sub-accounts");
    for (const row of rows) {
      const one = list.read(asObject(row) ?? {});
      if (!/^\d{1,32}$/.test(one.uid)) throw new ShapeError(path, "data", "a sub-account has no user id");
      if (all.has(one.uid)) throw new ShapeError(path, "data", `lists the sub-account ${one.uid} twice`);
      all.set(one.uid, one);
    }
    const isFull = rows.length >= list.size;
    const next = list.next(asObject(data) ?? {}, isFull);
    if (next === null) return [...all.values()];
    after = textOf(next);
    if (after === null || rows.length === 0)
      throw new ShapeError(path, "data", "has a next page but does not say how to continue");
  }
}

/** Returns the refusal with the reason and what to do, by the facts of the key; any other error as it is. */
async function explained(error: unknown, { client, version, options }: Listing): Promise<unknown> {
  if (!(error instanceof ApiError) || error.kind !== "permission") return error;
  const { path } = lists[version].endpoint;
  const key = await readKey(client, version, options).catch(() => null);
  return new ApiError("permission", path, error.code, `${refusalReason(version, key)} (${error.code})`);
}

function refusalReason(version: ListVersion, key: KeyInfo | null): string {
  if (key?.parent)
    return `the key belongs to a sub-account of ${key.parent}; only a key of the main account lists sub-accounts`;
  if (version === "v2" && key?.addresses === "")
    return (
      "sub-accounts are listed only for a key that is bound to an internet address, and this one is not; " +
      "in the exchange's API management, bind it to the address of this machine"
    );
  const permission =
    version === "v2" ? "for sub-accounts, and bind it to the address of this machine" : "for UTA management";
  return `the key may not list sub-accounts; in the exchange's API management, give it read permission ${permission}`;
}
