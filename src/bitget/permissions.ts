/** Reads the owner and the write permissions of a key. A permission that is not known to be read-only counts as writing. */
import type { ApiVersion } from "../core/domain.ts";
import { ShapeError } from "../core/errors.ts";
import { escapeControlChars } from "../core/text.ts";
import type { Client, RequestOptions } from "./client.ts";
import { commonEndpoints } from "./endpoints.ts";
import { asObject } from "./wire/json.ts";

export interface KeyInfo {
  /** The exchange's id of the user, who may have several keys; null if it is not reported. */
  user: string | null;
  /** The user id of the main account if the key belongs to a sub-account; null otherwise, or where it is not reported. */
  parent: string | null;
  /** The addresses to which the key is bound, as reported; "" for none, null where it is not reported. */
  addresses: string | null;
  /**
   * Returns the exchange's names of the key's write permissions; empty for a read-only key.
   * @throws ShapeError if the response does not contain permissions
   */
  writes(): string[];
}

/**
 * Requests the owner and the permissions of the client's key.
 * @throws as `Client.get`
 * Sources: https://www.bitget.com/api-doc/spot/account/Get-Account-Info (authorities),
 * https://www.bitget.com/api-doc/uta/guide and the types of sieblyio/bitget-api (permType, permissions)
 */
export async function readKey(client: Client, version: ApiVersion, options: RequestOptions): Promise<KeyInfo> {
  const endpoint = commonEndpoints[`${version}/key`];
  const { data } = await client.get(endpoint, {}, options);
  const info = asObject(data) ?? {};
  const permissions = version === "v3" ? unifiedPermissions : classicPermissions;
  return {
    user: String(info.userId ?? info.user_id ?? "") || null,
    parent: /^0?$/.test(String(info.parentId ?? "")) ? null : String(info.parentId),
    addresses: info.ips === undefined || info.ips === null ? null : String(info.ips),
    writes: () => permissions(info, endpoint.path),
  };
}

/** Returns whether an authority is read-only. Four-letter codes end in `r` for reading (`stor`) and in `w` for writing (`stow`). */
const isReading = (authority: string): boolean => /^([a-z0-9]{3}r|read|readonly|read[-_]only)$/i.test(authority);

function classicPermissions({ authorities }: Readonly<Record<string, unknown>>, path: string): string[] {
  const list = textList(authorities);
  if (list === null) throw new ShapeError(path, "data.authorities", "is not a list of texts");
  return list.filter((authority) => !isReading(authority));
}

function unifiedPermissions(info: Readonly<Record<string, unknown>>, path: string): string[] {
  const { permType } = info;
  if (typeof permType !== "string") throw new ShapeError(path, "data.permType", "is not text");
  if (/^read[-_ ]?only$/i.test(permType)) return [];
  const permissions = textList(info.permissions) ?? [];
  return permissions.length > 0 ? permissions : [escapeControlChars(permType)];
}

function textList(value: unknown): string[] | null {
  if (!Array.isArray(value)) return null;
  return value.every((each) => typeof each === "string") ? value.map(escapeControlChars) : null;
}
