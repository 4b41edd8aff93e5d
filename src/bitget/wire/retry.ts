/** Decides which failures are retried, and after how long. Pure. */
import { ApiError, type CollectorError, NetworkError } from "../../core/errors.ts";
import { isKnown } from "../error-codes.ts";

const attemptsOfKind: Partial<Record<CollectorError["kind"], number>> = {
  rate_limited: 5,
  upstream: 3,
  network: 3,
  timeout: 3,
  bad_body: 3,
};

/** Returns the maximum number of attempts, the first included, after such a failure. */
export function attemptsFor({ kind, code }: CollectorError): number {
  if (kind !== "api") return attemptsOfKind[kind] ?? 1;
  // "Parameter verification exception" is in the vendor's "try again" list, but can also be a real error.
  if (code === "40808") return 2;
  // An undocumented code may be a temporary failure.
  return isKnown(code) ? 1 : 3;
}

const minWaitMs = 250;
const maxWaitMs = 30_000;

/**
 * Returns the milliseconds to wait after the given attempt (the first is 1): what the exchange requested, else exponential
 * backoff from 1 s after a rate limit and from 0.25 s after other errors, with ±25 % jitter.
 */
export function waitAfter(error: CollectorError, attempt: number, random: () => number = Math.random): number {
  const isRateLimit = error.kind === "rate_limited";
  const requested = error instanceof ApiError || error instanceof NetworkError ? error.retryAfterMs : null;
  const backoff = (isRateLimit ? 1000 : 250) * 2 ** (attempt - 1) * (0.75 + random() / 2);
  return Math.min(maxWaitMs, Math.max(minWaitMs, requested ?? backoff));
}

/**
 * Parses `Retry-After`, in seconds or as an HTTP date, to milliseconds; `now` is epoch ms. Returns null for anything else. The
 * exchange does not document this header, so it is used if present and never required.
 */
export function retryAfterMs(header: string | null, now: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text) * 1000;
  if (!text.endsWith("GMT")) return null;
  const wait = Date.parse(text) - now;
  return wait >= 0 ? wait : null; // an invalid date gives NaN, for which the comparison is false
}
