/**
 * Declares endpoints of the exchange, and those that belong to no dataset. A dataset's endpoints are in its file;
 * `datasets/endpoints.ts` lists all.
 *
 * Sources: v1 https://bitgetlimited.github.io/apidoc/en/spot and /en/mix (archived; the host answers 30032 since
 * 2025-11-28); v2 https://www.bitget.com/api-doc/common; v3 https://www.bitget.com/api-doc/uta/account. Limits as in the
 * headers of those pages.
 */
import type { ApiEndpoint, ApiVersion } from "../core/domain.ts";

export type EndpointName = `${ApiVersion}/${string}`;
type Facts = Omit<ApiEndpoint, "name" | "version" | "signed" | "per"> & { signed?: boolean };

/** Declares an endpoint. Signed ones (the default) are limited per user, public ones per IP address. */
export const apiEndpoint = (name: EndpointName, { signed = true, ...facts }: Facts): ApiEndpoint => ({
  name,
  version: name.slice(0, 2) as ApiVersion,
  signed,
  per: signed ? "uid" : "ip",
  ...facts,
});

const key = { params: [], summary: "what the key may do" };
const time = { perSecond: 20, params: [], signed: false, summary: "the exchange's clock" };

export const commonEndpoints = {
  "v1/key": apiEndpoint("v1/key", { path: "/api/spot/v1/account/getInfo", perSecond: 1, ...key }),
  "v1/time": apiEndpoint("v1/time", { path: "/api/spot/v1/public/time", ...time }),
  "v2/key": apiEndpoint("v2/key", { path: "/api/v2/spot/account/info", perSecond: 1, ...key }),
  "v2/time": apiEndpoint("v2/time", { path: "/api/v2/public/time", ...time }),
  "v3/settings": apiEndpoint("v3/settings", {
    path: "/api/v3/account/settings",
    perSecond: 20,
    params: [],
    summary: "the mode of a unified account",
  }),
  "v3/key": apiEndpoint("v3/key", { path: "/api/v3/account/info", perSecond: 5, ...key }),
  // Copies of the page differ: ten a second in older ones, one a second in newer ones.
  "v2/sub-accounts": apiEndpoint("v2/sub-accounts", {
    path: "/api/v2/user/virtual-subaccount-list",
    perSecond: 1,
    params: ["limit", "idLessThan", "status"],
    summary: "the virtual sub-accounts of a main account",
  }),
  "v3/sub-accounts": apiEndpoint("v3/sub-accounts", {
    path: "/api/v3/user/sub-list",
    perSecond: 10,
    params: ["limit", "cursor"],
    summary: "the sub-accounts of a main account",
  }),
};

/** The limit of requests a minute from one IP address, all endpoints together (https://www.bitget.com/api-doc/, FAQ). */
export const maxRequestsPerMinutePerIp = 6000;
