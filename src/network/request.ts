/** One request to another machine, with limits of time and size. No redirect is followed, nothing is repeated. */
import type { IncomingHttpHeaders } from "node:http";
import got, { RequestError, type Response, TimeoutError } from "got";
import { proxyProblem, type Route } from "./outgoing.ts";

/** Milliseconds for each part of a request, and for the whole of it. */
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
  /** The body is read up to this size, unpacked; 0: not at all. */
  maxBytes: number;
  /** Takes a body that cannot be read to its end as an empty one. Default: the request fails. */
  ignoreDamage?: boolean;
}

export interface IncomingReply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The body is longer than what was read of it. */
  isCut: boolean;
}

/**
 * Sends one request; any status is a reply. Returns null where the connection ended without one.
 * @throws RequestError of got, which carries the request with its headers and address: never to be shown
 */
export async function send(
  address: URL | string,
  route: Route,
  { timeouts, maxBytes, ignoreDamage = false, ...request }: OutgoingRequest,
): Promise<IncomingReply | null> {
  const stream = got.stream(address, {
    ...request,
    agent: await route.agent(),
    timeout: timeouts,
    followRedirect: false,
    retry: { limit: 0 },
    throwHttpErrors: false,
  });
  const replied = new Promise<Response | null>((resolve, reject) => {
    stream.once("response", resolve);
    stream.once("close", () => resolve(null));
    // A signal aborted after the end makes the stream emit another error, which would be unhandled.
    stream.on("error", reject);
  });
  try {
    const response = await replied;
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
    return { status: response.statusCode, headers: response.headers, body, isCut: size > maxBytes };
  } finally {
    stream.destroy();
  }
}

/** Why a request had no reply, in words that hold neither the address nor a header. */
export interface SendFailure {
  kind: "proxy" | "timeout" | "tls" | "other";
  /** The code of Node.js, or the phase whose time was up. */
  code: string;
  /** A sentence about the host. */
  problem: string;
  /** What to do about a host that could not prove who it is; null for other failures. */
  advice: string | null;
}

/** Names what `send` threw; `setting` is the one that has the address of the host. */
export function failureOf(error: unknown, host: string, route: Route, setting: string): SendFailure {
  const code = error instanceof RequestError ? error.code : "unknown";
  const refusal = proxyProblem(error);
  if (refusal !== null) return { kind: "proxy", code, problem: refusal, advice: null };
  if (error instanceof TimeoutError || code === "ETIMEDOUT") {
    const phase = error instanceof TimeoutError ? error.event : code;
    const problem = `${host} did not answer in time (${phase})${route.description}`;
    return { kind: "timeout", code: phase, problem, advice: null };
  }
  if (/CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO/.test(code)) {
    const advice = /SELF_SIGNED|UNABLE_TO/.test(code)
      ? `check ${setting}; where a proxy inspects TLS, NODE_EXTRA_CA_CERTS must name the file of its authority`
      : `check ${setting} and this machine's date`;
    return {
      kind: "tls",
      code,
      problem: `${host} could not prove who it is (${code}${route.description}): ${advice}`,
      advice,
    };
  }
  return { kind: "other", code, problem: `no answer from ${host} (${code})${route.description}`, advice: null };
}
