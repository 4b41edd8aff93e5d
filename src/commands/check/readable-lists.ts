/** Finds out which lists of records the key of an account may read. */
import type { Session } from "../../collecting/account-session.ts";
import { ApiError } from "../../core/errors.ts";
import { minuteMs } from "../../core/time.ts";
import { recordDatasets } from "../../datasets/index.ts";
import type { Config } from "../../settings/config.ts";

/** What is known about one list, or all. */
export interface ReadableLists {
  text: string;
  isRefused: boolean;
}

/**
 * Requests the last minute of each list that is collected. Returns a line for each that the exchange refuses, with the reason; one line
 * if it refuses none; no line if nothing is collected, or another failure leaves it unknown.
 */
export async function readableLists(session: Session, { schedules, productTypes }: Config): Promise<ReadableLists[]> {
  const options = { signal: AbortSignal.timeout(30_000) };
  const api = await session.api(options);
  const to = session.client.exchangeNow();
  const window = { from: to - minuteMs, to, cursor: null };
  const requests = recordDatasets
    .filter(({ name }) => schedules[name])
    .flatMap(({ name, sources }) =>
      (sources[api] ?? []).flatMap((list) => list.scopes(productTypes).map((scope) => ({ name, list, scope }))),
    );
  const errors = await Promise.all(
    requests.map(async ({ name, list, scope }) => {
      try {
        if (list.parts) await session.client.get(list.parts.endpoint, {}, options);
        else await session.client.get(list.endpoint, list.params(scope, window), options);
        return null;
      } catch (error) {
        return { name: `${name} of ${scope ?? "the account"}`, error };
      }
    }),
  );
  const failed = errors.filter((one) => one !== null);
  const all = { text: "the key may read all records that are collected", isRefused: false };
  if (failed.length === 0) return requests.length === 0 ? [] : [all];
  return failed.flatMap(({ name, error }) =>
    error instanceof ApiError ? [{ text: `${name}: ${error.message}`, isRefused: true }] : [],
  );
}
