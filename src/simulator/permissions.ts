/** Defines which read permission of a key each endpoint requires. */
import { refusals } from "./refusal.ts";

/** The read permissions of a key: its codes in API v2, its names in v3. */
export const readPermissions = {
  v2: ["coor", "cpor", "stor", "smor", "wtor", "taxr"],
  v3: ["uta_mgt", "uta_trade"],
} as const;

export type ReadPermission = (typeof readPermissions)["v2" | "v3"][number];

/** Path prefixes with the permission that they require and its name in the refusal; the first one that matches counts. */
const required: readonly [prefix: string, permission: ReadPermission, name: string][] = [
  ["/api/v2/mix/order/", "coor", "futures orders"],
  ["/api/v2/mix/", "cpor", "futures holdings"],
  ["/api/v2/margin/", "smor", "margin"],
  ["/api/v2/tax/", "taxr", "tax"],
  ["/api/v2/spot/wallet/", "wtor", "wallet transfer"],
  ["/api/v2/spot/account/transferRecords", "wtor", "wallet transfer"],
  ["/api/v2/spot/account/sub-main-trans-record", "wtor", "wallet transfer"],
  ["/api/v2/spot/", "stor", "spot"],
  ["/api/v2/account/", "stor", "spot"],
  ["/api/v3/account/", "uta_mgt", "UTA mgt."],
  ["/api/v3/position/", "uta_trade", "UTA trade"],
  ["/api/v3/trade/", "uta_trade", "UTA trade"],
];

/** What every key may read: its own permissions and the mode of its account. */
const always: readonly string[] = ["/api/v2/spot/account/info", "/api/v3/account/info", "/api/v3/account/settings"];

/** Checks that a key with these permissions may read a path. @throws Refusal if one is missing */
export function checkPermission(path: string, permissions: readonly ReadPermission[]): void {
  if (always.includes(path)) return;
  const rule = required.find(([prefix]) => path.startsWith(prefix));
  if (!rule) return;
  const [, permission, name] = rule;
  if (!permissions.includes(permission)) throw refusals.notPermitted(name);
}

/** Returns the permissions of a key that are not restricted. */
export const allReadPermissions: readonly ReadPermission[] = [...readPermissions.v2, ...readPermissions.v3];
