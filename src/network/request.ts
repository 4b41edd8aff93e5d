/** Sends one request with time and size limits, without following redirects and without retries. */
import type { IncomingHttpHeaders } from "node:http";
import got, { RequestError, type Response, TimeoutError } from "got";
import { proxyProblem, type Route } from "./outgoing.ts";

/** The timeouts of each phase of a request, and of the whole request. Milliseconds. */
export interface Timeouts {
  lookup: number;
  connect: number;
  secureConnect: number;
  response: number;
  request: number;
}

export interface OutgoingRequest {
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: string;
  timeouts: Partial<Timeouts> & Pick<Timeouts, "request">;
  signal: AbortSignal;
  /** The body is read up to this size, after decompression; 0 reads nothing. */
  maxBytes: number;
  /** Treats a body that cannot be read completely as empty. Default: the request fails. */
  ignoreDamage?: boolean;
}

export interface IncomingResponse {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** True if the body was longer than `maxBytes`. */
  isTruncated: boolean;
}

/**
 * Sends one request and returns the response, whatever its status; null if the connection ended without one.
 * @throws RequestError of got, which contains the headers and the URL of the request and must never be shown
 */
export async function send(
  address: URL | string,
  route: Route,
  { timeouts, maxBytes, ignoreDamage = false, ...request }: OutgoingRequest,
): Promise<IncomingResponse | null> {
  const stream = got.stream(address, {
    ...request,
    agent: await route.agent(),
    timeout: timeouts,
    followRedirect: false,
    retry: { limit: 0 },
    throwHttpErrors: false,
  });
  const responded = new Promise<Response | null>((resolve, reject) => {
    stream.once("response", resolve);
    stream.once("close", () => resolve(null));
    // A signal that is aborted after the end makes the stream emit another error, which would be unhandled.
    stream.on("error", reject);
  });
  try {
    const response = await responded;
    if (response === null) return null;
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      if (maxBytes > 0)
        for await (const chunk of stream) {
          chunks.push(chunk);
          size += chunk.length;
          if (size > maxBytes) break;
        }
    } catch (error) {
      if (!ignoreDamage) throw error;
      chunks.length = 0;
    }
    const body = Buffer.concat(chunks).subarray(0, maxBytes);
    return { status: response.statusCode, headers: response.headers, body, isTruncated: size > maxBytes };
  } finally {
    stream.destroy();
  }
}

/** Why a request had no response, without its URL or headers. */
export interface SendFailure {
  kind: "proxy" | "timeout" | "tls" | "other";
  /** The error code of Node.js, or the phase that timed out. */
  code: string;
  /** A sentence that names the host. */
  problem: string;
  /** What to do about a TLS error; null for other failures. */
  advice: string | null;
}

/** Describes an error thrown by `send`; `setting` is the name of the setting that contains the URL of the host. */
export function failureOf(error: unknown, host: string, route: Route, setting: string): SendFailure {
  const code = error instanceof RequestError ? error.code : "unknown";
  const proxyError = proxyProblem(error);
  if (proxyError !== null) return { kind: "proxy", code, problem: proxyError, advice: null };
  if (error instanceof TimeoutError || code === "ETIMEDOUT") {
    const phase = error instanceof TimeoutError ? error.event : code;
    const problem = `${host} did not respond in time (${phase})${route.description}`;
    return { kind: "timeout", code: phase, problem, advice: null };
  }
  if (/CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO/.test(code)) {
    const advice = /SELF_SIGNED|UNABLE_TO/.test(code)
      ? `check ${setting}; if a proxy inspects TLS, set NODE_EXTRA_CA_CERTS to the file of its certificate authority`
      : `check ${setting} and this machine's date`;
    return {
      kind: "tls",
      code,
      problem: `no TLS connection to ${host} (${code}${route.description}): ${advice}`,
      advice,
    };
  }
  return { kind: "other", code, problem: `no response from ${host} (${code})${route.description}`, advice: null };
}
