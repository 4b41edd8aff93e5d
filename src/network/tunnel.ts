/** Tunnels through a proxy. Imported only if a proxy is used, because these packages are slow to load. */
import type http from "node:http";
import type { Duplex } from "node:stream";
import { Agent, type AgentConnectOpts } from "agent-base";
import { HttpsProxyAgent } from "https-proxy-agent";
import { SocksProxyAgent } from "socks-proxy-agent";
import { decoded, type ProxyAddress } from "./proxy.ts";

export interface TunnelOptions {
  keepAlive?: boolean;
  /** The source address of connections, and its family. Default: the system chooses. Not used through a proxy. */
  localAddress?: string;
  family?: number;
  /** Timeout for connecting to each IP address of a host except the last. Milliseconds. */
  autoSelectFamilyAttemptTimeout?: number;
  /** Timeout for the proxy to connect. Milliseconds. */
  proxyTimeoutMs?: number;
}

const defaultProxyTimeoutMs = 10_000;

/** The proxy cannot be reached or rejected the request; the message names it without secrets. */
class ProxyError extends Error {
  override name = "ProxyError";
  readonly code = "EPROXY";
}

/** Tunnels https through one proxy. Throws if the proxy refuses, which the wrapped agents would return as the host's response. */
export class TunnelAgent extends Agent {
  readonly #inner: HttpsProxyAgent<string> | SocksProxyAgent;
  readonly #proxy: ProxyAddress;
  readonly #timeoutMs: number;

  constructor(proxy: ProxyAddress, { proxyTimeoutMs = defaultProxyTimeoutMs, ...options }: TunnelOptions) {
    super(options);
    this.#timeoutMs = proxyTimeoutMs;
    this.#proxy = proxy;
    this.#inner = tunnelThrough(proxy, options);
  }

  override isSecureEndpoint(): boolean {
    return true;
  }

  override async connect(request: http.ClientRequest, options: AgentConnectOpts): Promise<Duplex> {
    const { host, setting } = this.#proxy;
    let status = 200;
    request.once("proxyConnect", ({ statusCode }: { statusCode: number }) => {
      status = statusCode;
    });
    const connecting = this.#inner.connect(request, options);
    const socket = await withTimeout(connecting, this.#timeoutMs).catch((error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new ProxyError(`the proxy ${host} (${setting}) could not connect: ${code ?? message}`);
    });
    if (status === 200) return socket;
    socket.destroy();
    throw new ProxyError(
      status === 407
        ? `the proxy ${host} (${setting}) requires a valid user name and password (HTTP 407); set ${setting}=http://USER:PASSWORD@${host}`
        : `the proxy ${host} (${setting}) refused to connect to ${options.host} (HTTP ${status})`,
    );
  }
}

/** Creates the agent. Removes user name and password from the URL, because the packages write it to their debug output. */
function tunnelThrough({ url }: ProxyAddress, options: TunnelOptions): HttpsProxyAgent<string> | SocksProxyAgent {
  const address = new URL(url.reveal());
  if (address.protocol.startsWith("socks"))
    return new SocksProxyAgent(address, { ...options, timeout: defaultProxyTimeoutMs });
  const user = decoded(address.username);
  const password = decoded(address.password);
  const basic = Buffer.from(`${user}:${password}`).toString("base64");
  address.username = "";
  address.password = "";
  const headers = user === "" && password === "" ? {} : { "Proxy-Authorization": `Basic ${basic}` };
  return new HttpsProxyAgent(address.href, { ...options, headers });
}

async function withTimeout<T extends Duplex>(connecting: Promise<T>, ms: number): Promise<T> {
  let isLate = false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isLate = true;
      reject(new Error(`no response within ${ms / 1000} s`));
    }, ms);
  });
  connecting.then(
    (socket) => isLate && socket.destroy(),
    () => {},
  );
  return Promise.race([connecting, late]).finally(() => clearTimeout(timer));
}
