/** Tunnels through a proxy. Loaded where there is one: the packages take longer to load than all the rest of a request. */
import type http from "node:http";
import type { Duplex } from "node:stream";
import { Agent, type AgentConnectOpts } from "agent-base";
import { HttpsProxyAgent } from "https-proxy-agent";
import { SocksProxyAgent } from "socks-proxy-agent";
import { decoded, type ProxyAddress } from "./proxy.ts";

export interface TunnelOptions {
  keepAlive?: boolean;
  /** The address of this machine to connect from, and its family. Default: the system chooses. Not used through a proxy. */
  localAddress?: string;
  family?: number;
  /** Milliseconds for each address of a host, unless it is the last. */
  autoSelectFamilyAttemptTimeout?: number;
  /** Milliseconds until the proxy has to have connected. */
  proxyTimeoutMs?: number;
}

const defaultProxyTimeoutMs = 10_000;

/** The proxy cannot be reached or refuses; the message names it and holds no secret. */
class ProxyError extends Error {
  override name = "ProxyError";
  readonly code = "EPROXY";
}

/** Tunnels of https through one proxy. A refusal is an error of its own: the agents below would pass it on as the host's answer. */
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
    request.once("proxyConnect", (answer: { statusCode: number }) => {
      status = answer.statusCode;
    });
    const connecting = this.#inner.connect(request, options);
    const socket = await inTime(connecting, this.#timeoutMs).catch((error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new ProxyError(`the proxy ${host} (${setting}) could not connect: ${code ?? message}`);
    });
    if (status === 200) return socket;
    socket.destroy();
    throw new ProxyError(
      status === 407
        ? `the proxy ${host} (${setting}) did not accept the user name and password, or wants them (HTTP 407); set ${setting}=http://USER:PASSWORD@${host}`
        : `the proxy ${host} (${setting}) refuses to connect to ${options.host} (HTTP ${status})`,
    );
  }
}

/** User name and password are taken out of the address, which the packages write into their debugging output. */
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

async function inTime<T extends Duplex>(connecting: Promise<T>, ms: number): Promise<T> {
  let isLate = false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isLate = true;
      reject(new Error(`no answer within ${ms / 1000} s`));
    }, ms);
  });
  connecting.then(
    (socket) => isLate && socket.destroy(),
    () => {},
  );
  return Promise.race([connecting, late]).finally(() => clearTimeout(timer));
}
