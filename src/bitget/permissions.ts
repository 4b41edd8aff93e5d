/** Whose a key is, and what it may do besides reading. What is not known to be reading counts as writing. */
import type { ApiVersion } from "../core/domain.ts";
import { ShapeError } from "../core/errors.ts";
import { escapeControlChars } from "../core/text.ts";
import type { Client, RequestOptions } from "./client.ts";
import { commonEndpoints } from "./endpoints.ts";
import { asObject } from "./wire/json.ts";

export interface KeyInfo {
  /** The exchange's id of the user, who may have several keys; null where it is not reported. */
  user: string | null;
  /**
   * Returns the exchange's names of the key's write permissions; empty for a read-only key.
   * @throws ShapeError where the response does not contain them.
   */
  writes(): string[];
}

/**
 * What the exchange says of the key.
 * @throws as `Client.get`.
 * Sources: https://www.bitget.com/api-doc/spot/account/Get-Account-Info (authorities),
 * https://www.bitget.com/api-doc/uta/guide and the types of sieblyio/bitget-api (permType, permissions)
 */
export async function readKey(client: Client, version: ApiVersion, options: RequestOptions): Promise<KeyInfo> {
  const address = commonEndpoints[`${version}/key`];
  const { data } = await client.get(address, {}, options);
  const info = asObject(data) ?? {};
  const permissions = version === "v3" ? unifiedPermissions : classicPermissions;
  return {
    user: String(info.userId ?? info.user_id ?? "") || null,
    writes: () => permissions(info, address.path),
  };
}

/** Codes of four letters end in `r` where they read (`stor`, `cpor`) and in `w` where they write (`stow`, `wwow`). */
const isReading = (authority: string): boolean => /^([a-z0-9]{3}r|read|readonly|read[-_]only)$/i.test(authority);

function classicPermissions({ authorities }: Readonly<Record<string, unknown>>, path: string): string[] {
  const known = words(authorities);
  if (known === null) throw new ShapeError(path, "data.authorities", "is no list of words");
  return known.filter((authority) => !isReading(authority));
}

function unifiedPermissions(info: Readonly<Record<string, unknown>>, path: string): string[] {
  const { permType } = info;
  if (typeof permType !== "string") throw new ShapeError(path, "data.permType", "is no word");
  if (/^read[-_ ]?only$/i.test(permType)) return [];
  const permissions = words(info.permissions) ?? [];
  return permissions.length > 0 ? permissions : [escapeControlChars(permType)];
}

function words(value: unknown): string[] | null {
  if (!Array.isArray(value)) return null;
  return value.every((word) => typeof word === "string") ? value.map(escapeControlChars) : null;
}
