/** From what came over the wire to the data of an answer, or to the failure it stands for. Pure. */
import { ApiError, NetworkError } from "../../core/errors.ts";
import { escapeControlChars } from "../../core/text.ts";
import { errorClassOf, success } from "../error-codes.ts";
import type { Reply } from "./http.ts";
import { asObject, parseJson } from "./json.ts";
import { retryAfterMs } from "./retry.ts";

export interface Envelope {
  data: unknown;
  /** The exchange's clock as it says, epoch ms; null where it says nothing that could be one. */
  requestTime: number | null;
  /** What the answer is called, where that is not JSON; harmless to show. */
  unexpectedType: string | null;
}

export interface ParseContext {
  path: string;
  /** The estimated exchange time, epoch ms: a date in `Retry-After` is compared with it. */
  now: number;
  /** Removes secrets from error texts, because some repeat what was sent. */
  redact(text: string): string;
  /** Called with the exchange's time, epoch ms, where the response contains it, refusals included. */
  onTime?(requestTime: number): void;
}

/**
 * The code decides where there is one, the HTTP status where there is none: business errors come with 400, some with 200,
 * and overload comes as HTML. An answer without data is none, whatever else it says.
 * @throws ApiError, NetworkError
 */
export function parseResponse(reply: Reply, reading: ParseContext): Envelope {
  const { path } = reading;
  const { status } = reply;
  if (status >= 300 && status < 400) throw new NetworkError("redirect", path, redirected);
  const body = parsed(reply.body.toString("utf8"));
  const requestTime = instant(body?.requestTime);
  if (requestTime !== null) reading.onTime?.(requestTime);
  const code = body?.code === undefined || body.code === null ? null : String(body.code);
  if (code !== null && code !== success) throw refusal(code, body?.msg ?? body?.message, reply, reading);
  if (status >= 400) throw failure(reply, reading);
  if (code === null) throw unusableResponse(reply, reading, body === null ? "no JSON object" : "without a code");
  if (body?.data === undefined || body.data === null) throw unusableResponse(reply, reading, "without data");
  const rows = Array.isArray(body.data) ? body.data : asObject(body.data)?.list;
  if (Array.isArray(rows) && rows.length > maxRows)
    throw new NetworkError("too_large", path, `an answer of ${rows.length} rows, of which ${maxRows} are believed`);
  const unexpectedType = /json/i.test(reply.contentType) ? null : typeOf(reply, reading);
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

/** Of all answers we know that of all prices has the most, about 1,000. Many more would hold up everything else. */
const maxRows = 5000;

const maxTextLength = 200;
const maxCodeLength = 16;
const maxTypeLength = 40;

/** The exchange's own words, harmless: no secret, no control characters, not long. */
const sanitized = (text: unknown, redact: ParseContext["redact"], length: number): string =>
  escapeControlChars(redact(String(text ?? ""))).slice(0, length);

const typeOf = ({ contentType }: Reply, { redact }: ParseContext): string =>
  sanitized(contentType, redact, maxTypeLength) || "no content type";

function refusal(
  code: string,
  text: unknown,
  { status, retryAfter }: Reply,
  { path, now, redact }: ParseContext,
): ApiError {
  const { kind, hint } = errorClassOf(code, status);
  const shownCode = sanitized(code, redact, maxCodeLength);
  const message = sanitized(text, redact, maxTextLength);
  const problem = `the exchange says ${shownCode}${message === "" ? "" : ` "${message}"`}${hint === "" ? "" : `: ${hint}`}`;
  const wait = kind === "rate_limited" ? retryAfterMs(retryAfter, now) : null;
  return new ApiError(kind, path, shownCode, problem, wait);
}

function failure(reply: Reply, reading: ParseContext): NetworkError {
  const { path, now } = reading;
  const { status } = reply;
  if (status === 429) {
    const wait = retryAfterMs(reply.retryAfter, now);
    return new NetworkError("rate_limited", path, "too many requests (HTTP 429)", wait);
  }
  if (status >= 500) return new NetworkError("upstream", path, `the exchange is unavailable (HTTP ${status})`);
  if (status === 401 || status === 403 || status === 451) {
    const why =
      "the host turned this machine away before the exchange saw the request: some regions and data centres are";
    return new NetworkError("auth", path, `${why} blocked (HTTP ${status})`);
  }
  return unusableResponse(reply, reading, "without a code");
}

/** Says what came by type and length alone: a page of HTML has no place in a ledger. */
function unusableResponse(reply: Reply, reading: ParseContext, what: string): NetworkError {
  const { status, body } = reply;
  const type = typeOf(reply, reading);
  const problem = `an answer ${what} (HTTP ${status}, ${type}, ${body.toString("utf8").length} characters)`;
  return new NetworkError("bad_body", reading.path, problem);
}

const redirected = "the host sends requests elsewhere, which is not followed: check BITGET_BASE_URL";
