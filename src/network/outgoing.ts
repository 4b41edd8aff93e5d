/**
 * How requests leave this machine: directly, or through the proxy that HTTPS_PROXY or ALL_PROXY names. A proxy only tunnels (CONNECT or
 * SOCKS): TLS is between this program and the host. What is plain http goes to this machine alone (config.ts), and never to a proxy.
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
  /** The same each time. */
  agent(): Promise<Agents>;
  /** For the end of a sentence about a failure, beginning with a comma; empty where no proxy is set. */
  description: string;
  close(): void;
}

/** Returns the way to an address. The caller closes it. */
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
  if (through) description = `, asked through the proxy ${through.host} (${through.setting})`;
  else if (proxy) description = `, asked directly: ${proxy.setting} is not used for it`;
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

/** Returns what a proxy did wrong in a failed request; null where no proxy failed. The destination was not reached then. */
export function proxyProblem(error: unknown): string | null {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return code === "EPROXY" ? String(message) : null;
}
