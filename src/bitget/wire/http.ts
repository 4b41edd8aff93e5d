/** Sends one GET request with time limits and returns the response, whatever it is. No redirects, no retries. */
import { isIP } from "node:net";
import { abortable } from "../../core/async/abort.ts";
import { CollectorError, type FailureKind, NetworkError } from "../../core/errors.ts";
import { type Route, routeTo } from "../../network/outgoing.ts";
import { noProxy, type ProxySettings } from "../../network/proxy.ts";
import { failureOf, type SendFailure, send, type Timeouts } from "../../network/request.ts";

export interface HttpResponse {
  status: number;
  contentType: string;
  retryAfter: string | null;
  /** The body as received, after decompression. */
  body: Buffer;
}

/** Returns the headers of a request that is sent now. */
export type HeadersNow = () => Record<string, string>;

export interface Http {
  /**
   * Sends a request to the first host, and to the next one only if the first could not be reached. Calls `headersNow` right before
   * sending, separately for each host.
   * @throws NetworkError, which contains nothing of the request except its path; the signal's reason if it is aborted
   */
  get(target: string, headersNow: HeadersNow, signal: AbortSignal): Promise<HttpResponse>;
  close(): void;
}

const defaultTimeouts: Timeouts = {
  lookup: 5000,
  connect: 5000,
  secureConnect: 5000,
  response: 20_000,
  request: 30_000,
};

/** The limit of a body in bytes, after decompression. The longest known response, all tickers, has 0.4 MB. */
const maxBodyBytes = 2_000_000;

interface HostRoute {
  host: string;
  route: Route;
}

export interface HttpOptions {
  timeouts?: Timeouts;
  /** Default: none. */
  proxy?: ProxySettings;
  /** The source address of requests; null if the system chooses it. Not used through a proxy. */
  sourceAddress?: string | null;
}

/**
 * Creates the HTTP client that all clients of a source address share. `hosts` are origins (`https://api.bitget.com`) in the order
 * in which they are tried.
 */
export function createHttp(
  hosts: readonly string[],
  { timeouts = defaultTimeouts, proxy = noProxy, sourceAddress = null }: HttpOptions = {},
): Http {
  // Node's default of 250 ms to connect to each address of a host is too short for slow connections.
  const connection = {
    keepAlive: true,
    autoSelectFamilyAttemptTimeout: 2000,
    proxyTimeoutMs: timeouts.connect + timeouts.secureConnect,
    ...(sourceAddress && { localAddress: sourceAddress, family: isIP(sourceAddress) }),
  };
  const routes = hosts.map((host): HostRoute => ({ host, route: routeTo(host, proxy, connection) }));
  async function getFrom(
    { host, route }: HostRoute,
    target: string,
    headersNow: HeadersNow,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    // The headers are created last, because the signature contains the time.
    await route.agent();
    const headers = { accept: "application/json", "user-agent": "bitget-collector", ...headersNow() };
    const response = await send(host + target, route, { headers, timeouts, signal, maxBytes: maxBodyBytes });
    if (response === null) throw failure("network", target, "the connection ended without a response");
    if (response.isTruncated) throw failure("too_large", target, `the response is longer than ${maxBodyBytes} bytes`);
    return {
      status: response.status,
      contentType: response.headers["content-type"] ?? "",
      retryAfter: response.headers["retry-after"] ?? null,
      body: response.body,
    };
  }

  return {
    async get(target, headersNow, signal) {
      for (const [n, hostRoute] of routes.entries()) {
        try {
          // Does not rely on the stream alone: a run must end at its deadline even if the request never ends.
          return await abortable(getFrom(hostRoute, target, headersNow, signal), signal);
        } catch (error) {
          if (signal.aborted) throw signal.reason;
          if (error instanceof CollectorError) throw error;
          const failed = failureOf(error, new URL(hostRoute.host).hostname, hostRoute.route, "BITGET_BASE_URL");
          if (sourceAddress && failed.code === "EADDRNOTAVAIL")
            throw failure(
              "network",
              target,
              "this machine no longer has the address to send from; see SOURCE_ADDRESSES",
            );
          if (n === routes.length - 1 || !isUnreachable(failed)) throw errorOf(failed, target);
        }
      }
      throw failure("network", target, "no host is configured");
    },
    close() {
      for (const { route } of routes) route.close();
    },
  };
}

const unreachableCodes = ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"];

const isUnreachable = ({ kind, code }: SendFailure): boolean =>
  kind === "proxy" || ["lookup", "connect"].includes(code) || unreachableCodes.includes(code);

/** Creates the error that replaces got's, which contains the request with its headers and the API key. */
function errorOf({ kind, code, problem }: SendFailure, target: string): NetworkError {
  if (kind === "timeout" || kind === "tls") return failure(kind, target, problem);
  if (code === "HPE_HEADER_OVERFLOW") return failure("too_large", target, "the response headers are too long");
  if (/^(Z_|ERR__ERROR|ERR_BROTLI|ERR_PADDING|HPE_)/.test(code))
    return failure("bad_body", target, `the response is damaged (${code})`);
  return failure("network", target, problem);
}

function failure(kind: FailureKind, target: string, problem: string): NetworkError {
  const [path = target] = target.split("?");
  return new NetworkError(kind, path, problem);
}
