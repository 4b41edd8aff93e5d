/** From what came over the wire to the data of an answer, or to the failure it stands for. Pure. */
import { ApiError, NetworkError } from "../errors.ts";
import { visible } from "../text.ts";
import { success, verdictOf } from "./codes.ts";
import type { Reply } from "./http.ts";
import { asObject, parseJson } from "./json.ts";
import { retryAfterMs } from "./retry.ts";

export interface Envelope {
  data: unknown;
  /** The exchange's clock as it says, epoch ms; null where it says nothing that could be one. */
  requestTime: number | null;
}

export interface Reading {
  path: string;
  /** The exchange's clock as far as we know it, epoch ms: what a date in `Retry-After` is compared with. */
  now: number;
  /** Takes secrets out of what the exchange says: error texts were seen to repeat what was sent. */
  redact(text: string): string;
}

/**
 * The code decides where there is one, the HTTP status where there is none: business errors come with 400, some with 200,
 * and overload comes as HTML. An answer without data is none, whatever else it says.
 * @throws ApiError, NetworkError
 */
export function readAnswer(reply: Reply, reading: Reading): Envelope {
  const { path } = reading;
  const { status } = reply;
  if (status >= 300 && status < 400) throw new NetworkError("redirect", path, redirected);
  const body = parsed(reply.body);
  const code = body?.code === undefined || body.code === null ? null : String(body.code);
  if (code !== null && code !== success) throw refusal(code, body?.msg ?? body?.message, reply, reading);
  if (status >= 400) throw failure(reply, reading);
  if (code === null) throw noAnswer(reply, path, body === null ? "no JSON object" : "without a code");
  if (body?.data === undefined || body.data === null) throw noAnswer(reply, path, "without data");
  return { data: body.data, requestTime: instant(body.requestTime) };
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

const textLength = 200;
const codeLength = 16;

/** The exchange's own words, harmless: no secret, no control characters, not long. */
const quoted = (text: unknown, redact: Reading["redact"], length: number): string =>
  visible(redact(String(text ?? ""))).slice(0, length);

function refusal(code: string, text: unknown, { status, retryAfter }: Reply, { path, now, redact }: Reading): ApiError {
  const { kind, hint } = verdictOf(code, status);
  const shownCode = quoted(code, redact, codeLength);
  const said = quoted(text, redact, textLength);
  const problem = `the exchange says ${shownCode}${said === "" ? "" : ` "${said}"`}${hint === "" ? "" : `: ${hint}`}`;
  const wait = kind === "rate_limited" ? retryAfterMs(retryAfter, now) : null;
  return new ApiError(kind, path, shownCode, problem, wait);
}

function failure(reply: Reply, { path, now }: Reading): NetworkError {
  const { status } = reply;
  if (status === 429) {
    const wait = retryAfterMs(reply.retryAfter, now);
    return new NetworkError("rate_limited", path, "too many requests (HTTP 429)", wait);
  }
  if (status >= 500) return new NetworkError("upstream", path, `the exchange is in trouble (HTTP ${status})`);
  if (status === 401 || status === 403 || status === 451) {
    const why =
      "the host turned this machine away before the exchange saw the request: some regions and data centres are";
    return new NetworkError("auth", path, `${why} blocked (HTTP ${status})`);
  }
  return noAnswer(reply, path, "without a code");
}

/** Says what came by type and length alone: a page of HTML has no place in a ledger. */
function noAnswer({ status, contentType, body }: Reply, path: string, what: string): NetworkError {
  const type = visible(contentType).slice(0, 40) || "no content type";
  const problem = `an answer ${what} (HTTP ${status}, ${type}, ${body.length} characters)`;
  return new NetworkError("bad_body", path, problem);
}

const redirected = "the host sends requests elsewhere, which is not followed: check BITGET_BASE_URL";
