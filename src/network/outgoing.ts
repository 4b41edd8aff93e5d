/**
 * Routes outgoing requests directly, or through the proxy in HTTPS_PROXY or ALL_PROXY. A proxy only tunnels (CONNECT or SOCKS), so
 * TLS is between this program and the host. Plain http is allowed to this machine only (config.ts) and never uses a proxy.
 */
import http from "node:http";
import https from "node:https";
import { type ProxySettings, whyDirect } from "./proxy.ts";
import type { TunnelOptions } from "./tunnel.ts";

interface Agents {
  http: http.Agent;
  https: https.Agent;
}

export interface Route {
  /** Returns the same agents each time. */
  agent(): Promise<Agents>;
  /** The end of a sentence about a failure, starting with a comma; empty if no proxy is set. */
  description: string;
  close(): void;
}

/** Returns the route to a URL. The caller must close it. */
export function routeTo(address: string, settings: ProxySettings, options: TunnelOptions = {}): Route {
  const { proxy } = settings;
  const through = proxy && whyDirect(new URL(address), settings) === null ? proxy : null;
  let agents: Promise<Agents> | null = null;
  async function open(): Promise<Agents> {
    if (!through) return { http: new http.Agent(options), https: new https.Agent(options) };
    const { TunnelAgent } = await import("./tunnel.ts");
    const tunnel = new TunnelAgent(through, options);
    return { http: tunnel, https: tunnel as typeof tunnel & https.Agent };
  }
  let description = "";
  if (through) description = `, through the proxy ${through.host} (${through.setting})`;
  else if (proxy) description = `, directly: ${proxy.setting} is not used for it`;
  return {
    agent() {
      agents ??= open();
      return agents;
    },
    description,
    close() {
      const destroy = (both: Agents) => {
        both.http.destroy();
        both.https.destroy();
      };
      void agents?.then(destroy, () => {});
    },
  };
}

/** Returns the message of a proxy error, after which the destination was not reached; null for other errors. */
export function proxyProblem(error: unknown): string | null {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return code === "EPROXY" ? String(message) : null;
}
