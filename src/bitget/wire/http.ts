/** One GET over the wire, whatever comes back. No redirect is followed, nothing is repeated, nothing waits for ever. */
import { isIP } from "node:net";
import { abortable } from "../../core/async/abort.ts";
import { CollectorError, type FailureKind, NetworkError } from "../../core/errors.ts";
import { type Route, routeTo } from "../../network/outgoing.ts";
import { noProxy, type ProxySettings } from "../../network/proxy.ts";
import { failureOf, type SendFailure, send, type Timeouts } from "../../network/request.ts";

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
   * Sends a request to the first host, and to the next one only where the first could not be reached. `headersNow` is called
   * right before sending, separately for each host.
   * @throws NetworkError built from named words alone; the signal's reason where that is aborted.
   */
  get(target: string, headersNow: HeadersNow, signal: AbortSignal): Promise<Reply>;
  close(): void;
}

const defaultTimeouts: Timeouts = {
  lookup: 5000,
  connect: 5000,
  secureConnect: 5000,
  response: 20_000,
  request: 30_000,
};

/** Bytes of a body, unpacked. The longest answer we know, all tickers, has 0.4 MB. */
const maxBodyBytes = 2_000_000;

interface HostRoute {
  host: string;
  route: Route;
}

export interface HttpOptions {
  timeouts?: Timeouts;
  /** Default: none. */
  proxy?: ProxySettings;
  /** The address of this machine that requests leave from; null: the system chooses. Not used through a proxy. */
  sourceAddress?: string | null;
}

/**
 * Opens connections that all clients of a source address share. `hosts` are origins, the one to ask first in front:
 * `https://api.bitget.com`.
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
  ): Promise<Reply> {
    // The headers are made when everything else is ready: a signature has the time in it.
    await route.agent();
    const headers = { accept: "application/json", "user-agent": "bitget-collector", ...headersNow() };
    const reply = await send(host + target, route, { headers, timeouts, signal, maxBytes: maxBodyBytes });
    if (reply === null) throw failure("network", target, "the connection ended without an answer");
    if (reply.isCut) throw failure("too_large", target, `the answer is longer than ${maxBodyBytes} bytes`);
    return {
      status: reply.status,
      contentType: reply.headers["content-type"] ?? "",
      retryAfter: reply.headers["retry-after"] ?? null,
      body: reply.body,
    };
  }

  return {
    async get(target, headersNow, signal) {
      for (const [n, way] of routes.entries()) {
        try {
          // Not left to the stream alone: a run must end at its deadline even if the request never ends.
          return await abortable(getFrom(way, target, headersNow, signal), signal);
        } catch (error) {
          if (signal.aborted) throw signal.reason;
          if (error instanceof CollectorError) throw error;
          const failed = failureOf(error, new URL(way.host).hostname, way.route, "BITGET_BASE_URL");
          if (n === routes.length - 1 || !isUnreachable(failed)) throw errorOf(failed, target);
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

const isUnreachable = ({ kind, code }: SendFailure): boolean =>
  kind === "proxy" || ["lookup", "connect"].includes(code) || unreachableCodes.includes(code);

/** A new error in place of got's, which carries the request with its headers, and so the key. */
function errorOf({ kind, code, problem }: SendFailure, target: string): NetworkError {
  if (kind === "timeout" || kind === "tls") return failure(kind, target, problem);
  if (code === "HPE_HEADER_OVERFLOW") return failure("too_large", target, "the headers of the answer are too long");
  if (/^(Z_|ERR__ERROR|ERR_BROTLI|ERR_PADDING|HPE_)/.test(code))
    return failure("bad_body", target, `the answer is damaged (${code})`);
  return failure("network", target, problem);
}

function failure(kind: FailureKind, target: string, problem: string): NetworkError {
  const [path = target] = target.split("?");
  return new NetworkError(kind, path, problem);
}
