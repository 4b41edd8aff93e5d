/** Converts a raw HTTP response to its data, or to the error it represents. Pure. */
import { ApiError, NetworkError } from "../../core/errors.ts";
import { escapeControlChars } from "../../core/text.ts";
import { errorClassOf, success } from "../error-codes.ts";
import type { HttpResponse } from "./http.ts";
import { asObject, parseJson } from "./json.ts";
import { retryAfterMs } from "./retry.ts";

export interface Envelope {
  data: unknown;
  /** The exchange's time in the response, epoch ms; null if it is missing or invalid. */
  requestTime: number | null;
  /** The content type, if it is not JSON, sanitized; null otherwise. */
  unexpectedType: string | null;
}

export interface ParseContext {
  path: string;
  /** The estimated exchange time, epoch ms: a date in `Retry-After` is compared with it. */
  now: number;
  /** Removes secrets from error texts, because some repeat parts of the request. */
  redact(text: string): string;
  /** Called with the exchange's time, epoch ms, if the response contains it, errors included. */
  onTime?(requestTime: number): void;
}

/**
 * Parses a response. The code decides, or the HTTP status if there is no code: business errors have status 400, some 200, and
 * overload is reported as HTML. A response without data is an error.
 * @throws ApiError, NetworkError
 */
export function parseResponse(response: HttpResponse, context: ParseContext): Envelope {
  const { path } = context;
  const { status } = response;
  if (status >= 300 && status < 400) throw new NetworkError("redirect", path, redirected);
  const body = parsed(response.body.toString("utf8"));
  const requestTime = instant(body?.requestTime);
  if (requestTime !== null) context.onTime?.(requestTime);
  const code = body?.code === undefined || body.code === null ? null : String(body.code);
  if (code !== null && code !== success) throw refusal(code, body?.msg ?? body?.message, response, context);
  if (status >= 400) throw failure(response, context);
  if (code === null) throw unusableResponse(response, context, body === null ? "not a JSON object" : "no code");
  if (body?.data === undefined || body.data === null) throw unusableResponse(response, context, "no data");
  const rows = Array.isArray(body.data) ? body.data : asObject(body.data)?.list;
  if (Array.isArray(rows) && rows.length > maxRows)
    throw new NetworkError("too_large", path, `response has ${rows.length} rows; the limit is ${maxRows}`);
  const unexpectedType = /json/i.test(response.contentType) ? null : typeOf(response, context);
  return { data: body.data, requestTime, unexpectedType };
}

function parsed(text: string) {
  try {
    return asObject(parseJson(text));
  } catch {
    return null;
  }
}

const instant = (value: unknown): number | null =>
  /^\d{13}$/.test(String(value ?? "")) ? Number(String(value)) : null;

/** The limit of rows in a response. The longest known response, all prices, has about 1,000; many more would block the event loop. */
const maxRows = 5000;

const maxTextLength = 200;
const maxCodeLength = 16;
const maxTypeLength = 40;

/** Returns a text of the exchange without secrets and control characters, shortened to `length`. */
const sanitized = (text: unknown, redact: ParseContext["redact"], length: number): string =>
  escapeControlChars(redact(String(text ?? ""))).slice(0, length);

const typeOf = ({ contentType }: HttpResponse, { redact }: ParseContext): string =>
  sanitized(contentType, redact, maxTypeLength) || "no content type";

function refusal(
  code: string,
  text: unknown,
  { status, retryAfter }: HttpResponse,
  { path, now, redact }: ParseContext,
): ApiError {
  const { kind, hint } = errorClassOf(code, status);
  const shownCode = sanitized(code, redact, maxCodeLength);
  const message = sanitized(text, redact, maxTextLength);
  const problem = `exchange error ${shownCode}${message === "" ? "" : ` "${message}"`}${hint === "" ? "" : `: ${hint}`}`;
  const wait = kind === "rate_limited" ? retryAfterMs(retryAfter, now) : null;
  return new ApiError(kind, path, shownCode, problem, wait);
}

function failure(response: HttpResponse, context: ParseContext): NetworkError {
  const { path, now } = context;
  const { status } = response;
  if (status === 429) {
    const wait = retryAfterMs(response.retryAfter, now);
    return new NetworkError("rate_limited", path, "too many requests (HTTP 429)", wait);
  }
  if (status >= 500) return new NetworkError("upstream", path, `the exchange is unavailable (HTTP ${status})`);
  if (status === 401 || status === 403 || status === 451) {
    const problem =
      "the host blocks this machine before the request reaches the exchange, as in some regions and data centres";
    return new NetworkError("auth", path, `${problem} (HTTP ${status})`);
  }
  return unusableResponse(response, context, "no code");
}

/** Describes an unusable response by its type and length only, so that no HTML page is stored in the run ledger. */
function unusableResponse(response: HttpResponse, context: ParseContext, what: string): NetworkError {
  const { status, body } = response;
  const type = typeOf(response, context);
  const problem = `unusable response: ${what} (HTTP ${status}, ${type}, ${body.toString("utf8").length} characters)`;
  return new NetworkError("bad_body", context.path, problem);
}

const redirected = "the host redirects requests, which is not followed: check BITGET_BASE_URL";
