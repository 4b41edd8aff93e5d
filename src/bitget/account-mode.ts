/** Determines the API version of an account from the exchange's response; a failure never counts as a result. */
import type { ApiVersion } from "../core/domain.ts";
import { ApiError } from "../core/errors.ts";
import type { Client, RequestOptions } from "./client.ts";
import { commonEndpoints } from "./endpoints.ts";
import { classicCodes } from "./error-codes.ts";
import { asObject } from "./wire/json.ts";

/** The modes of an account that the exchange is converting. */
const betweenModes = ["upgrading", "switching"];

/**
 * Returns `v3` for a unified account and `v2` for a classic one.
 * @throws ApiError of kind `mode` while the account is being converted; any other error of the request
 * Sources: https://www.bitget.com/api-doc/uta/guide; passivbot `_detect_account_mode`, which uses the same two codes
 */
export async function detectMode(client: Client, options: RequestOptions): Promise<Exclude<ApiVersion, "v1">> {
  const endpoint = commonEndpoints["v3/settings"];
  try {
    const { data } = await client.get(endpoint, {}, options);
    const mode = asObject(data)?.accountMode;
    if (typeof mode === "string" && betweenModes.includes(mode)) {
      const problem = `the exchange is converting this account to another mode (${mode}): try again later`;
      throw new ApiError("mode", endpoint.path, mode, problem);
    }
    return "v3";
  } catch (error) {
    if (error instanceof ApiError && classicCodes.includes(error.code)) return "v2";
    throw error;
  }
}
