/** One GET over the wire, whatever comes back. No redirect is followed, nothing is repeated, nothing waits for ever. */
import got, { RequestError, TimeoutError } from "got";
import { abortable } from "../../core/async/abort.ts";
import { CollectorError, type FailureKind, NetworkError } from "../../core/errors.ts";
import { proxyProblem, type Route, routeTo } from "../../network/outgoing.ts";
import { noProxy, type ProxySettings } from "../../network/proxy.ts";

export interface Reply {
  status: number;
  contentType: string;
  retryAfter: string | null;
  /** As received, unpacked. */
  body: Buffer;
}

/** Returns the headers of a request that leaves now. */
export type HeadersNow = () => Record<string, string>;

export interface Http {
  /**
   * Asks the first host, and the next one only where that one could not be reached at all. `headersNow` is called at
   * the moment of leaving, for each host anew.
   * @throws NetworkError built from named words alone; the signal's reason where that is aborted.
   */
  get(target: string, headersNow: HeadersNow, signal: AbortSignal): Promise<Reply>;
  close(): void;
}

/** Milliseconds for each part of a request, and for the whole of it. */
export interface Timeouts {
  lookup: number;
  connect: number;
  secureConnect: number;
  response: number;
  request: number;
}

const defaultTimeouts: Timeouts = {
  lookup: 5000,
  connect: 5000,
  secureConnect: 5000,
  response: 20_000,
  request: 30_000,
};

/** Bytes of a body, unpacked. The longest answer we know, all tickers, has 0.4 MB. */
const largestBody = 2_000_000;

/** `hosts` are origins, the one to ask first in front: `https://api.bitget.com`. */
export function createHttp(
  hosts: readonly string[],
  { timeouts = defaultTimeouts, proxy = noProxy }: { timeouts?: Timeouts; proxy?: ProxySettings } = {},
): Http {
  // Node gives each address of a host 250 ms to connect unless told otherwise: less than a slow line needs.
  const connection = {
    keepAlive: true,
    autoSelectFamilyAttemptTimeout: 2000,
    proxyPatience: timeouts.connect + timeouts.secureConnect,
  };
  const routes = hosts.map((host) => ({ host, route: routeTo(host, proxy, connection) }));
  const client = got.extend({
    headers: { accept: "application/json", "user-agent": "bitget-collector" },
    followRedirect: false,
    retry: { limit: 0 },
    throwHttpErrors: false,
    decompress: true,
    timeout: timeouts,
  });

  async function getFrom(
    { host, route }: { host: string; route: Route },
    target: string,
    headersNow: HeadersNow,
    signal: AbortSignal,
  ): Promise<Reply> {
    const agent = await route.agent();
    const stream = client.stream(host + target, { agent, headers: headersNow(), signal });
    // A signal that is aborted after the end makes the stream fail once more, with nobody left to hear it.
    stream.on("error", () => {});
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > largestBody) throw failure("too_large", target, `the answer is longer than ${largestBody} bytes`);
      chunks.push(chunk);
    }
    const { response } = stream;
    if (response === undefined) throw failure("network", target, "the connection ended without an answer");
    return {
      status: response.statusCode,
      contentType: response.headers["content-type"] ?? "",
      retryAfter: response.headers["retry-after"] ?? null,
      body: Buffer.concat(chunks),
    };
  }

  return {
    async get(target, headersNow, signal) {
      for (const [n, way] of routes.entries()) {
        try {
          // Not left to the stream alone: a run must end when its time is up, whatever becomes of its request.
          return await abortable(getFrom(way, target, headersNow, signal), signal);
        } catch (error) {
          if (signal.aborted) throw signal.reason;
          if (n === routes.length - 1 || !isUnreachable(error)) throw failureOf(error, target, way);
        }
      }
      throw failure("network", target, "there is no host to ask");
    },
    close() {
      for (const { route } of routes) route.close();
    },
  };
}

const unreachableCodes = ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"];

function isUnreachable(error: unknown): boolean {
  if (error instanceof TimeoutError) return error.event === "lookup" || error.event === "connect";
  return error instanceof RequestError && (unreachableCodes.includes(error.code) || proxyProblem(error) !== null);
}

/** A new error in place of got's, which carries the request with its headers, and so the key. */
function failureOf(error: unknown, target: string, { host, route }: { host: string; route: Route }): CollectorError {
  if (error instanceof CollectorError) return error;
  const { hostname } = new URL(host);
  const code = error instanceof RequestError ? error.code : "unknown";
  const refusal = proxyProblem(error);
  if (refusal !== null) return failure("network", target, refusal);
  if (error instanceof TimeoutError || code === "ETIMEDOUT") {
    const phase = error instanceof TimeoutError ? error.event : code;
    return failure("timeout", target, `${hostname} did not answer in time (${phase})${route.words}`);
  }
  if (code === "HPE_HEADER_OVERFLOW") return failure("too_large", target, "the headers of the answer are too long");
  if (/^(Z_|ERR__ERROR|ERR_BROTLI|ERR_PADDING|HPE_)/.test(code))
    return failure("bad_body", target, `the answer is damaged (${code})`);
  if (/CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO/.test(code)) {
    const advice = /SELF_SIGNED|UNABLE_TO/.test(code)
      ? `check BITGET_BASE_URL; where a proxy inspects TLS, NODE_EXTRA_CA_CERTS must name the file of its authority`
      : "check BITGET_BASE_URL and this machine's date";
    return failure("tls", target, `${hostname} could not prove who it is (${code}${route.words}): ${advice}`);
  }
  return failure("network", target, `no answer from ${hostname} (${code})${route.words}`);
}

function failure(kind: FailureKind, target: string, problem: string): NetworkError {
  const [path = target] = target.split("?");
  return new NetworkError(kind, path, problem);
}
