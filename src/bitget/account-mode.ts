/** Determines the API version of an account. Only the exchange's own response counts; nothing is inferred from a failure. */
import type { ApiVersion } from "../core/domain.ts";
import { ApiError } from "../core/errors.ts";
import type { Client, RequestOptions } from "./client.ts";
import { commonEndpoints } from "./endpoints.ts";
import { classicCodes } from "./error-codes.ts";
import { asObject } from "./wire/json.ts";

/** An account on its way from one mode to the other. */
const betweenModes = ["upgrading", "switching"];

/**
 * `v3` for a unified account, `v2` for a classic one.
 * @throws ApiError of kind `mode` while the account is being moved, and whatever else was thrown: it proves nothing.
 * Sources: https://www.bitget.com/api-doc/uta/guide; passivbot `_detect_account_mode`, which rests on the same two codes
 */
export async function detectMode(client: Client, options: RequestOptions): Promise<Exclude<ApiVersion, "v1">> {
  const address = commonEndpoints["v3/settings"];
  try {
    const { data } = await client.get(address, {}, options);
    const mode = asObject(data)?.accountMode;
    if (typeof mode === "string" && betweenModes.includes(mode)) {
      const problem = `the exchange is moving this account to another mode (${mode}): try again later`;
      throw new ApiError("mode", address.path, mode, problem);
    }
    return "v3";
  } catch (error) {
    if (error instanceof ApiError && classicCodes.includes(error.code)) return "v2";
    throw error;
  }
}
