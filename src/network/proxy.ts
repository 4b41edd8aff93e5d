/** Reads the conventional proxy settings: the proxy, and the hosts that are reached without it. */
import { Secret } from "../core/domain.ts";

export interface ProxyAddress {
  /** The name of the setting that contains it. */
  setting: string;
  /** The URL, with user name and password if it has them. */
  url: Secret;
  /** Safe to show: `proxy.example:3128`. */
  host: string;
}

export interface ProxySettings {
  /** Null if every host is reached directly. */
  proxy: ProxyAddress | null;
  /** NO_PROXY: hosts that are reached directly, separated by commas. */
  except: string;
  /** The name of a proxy setting that this program does not use; null if there is none. */
  unused: string | null;
}

export const noProxy: ProxySettings = { proxy: null, except: "", unused: null };

const schemes = ["http:", "https:", "socks:", "socks4:", "socks4a:", "socks5:", "socks5h:"];

/** Returns whether a host is a loopback name or address. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);

/** Reads the proxy settings, lower-case names first by convention. Calls `report` for an invalid URL, without its value. */
export function readProxySettings(
  read: (setting: string) => string,
  report: (setting: string, problem: string) => void,
): ProxySettings {
  const first = (...names: string[]): string | null => names.find((name) => read(name) !== "") ?? null;
  const setting = first("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY");
  const except = read(first("no_proxy", "NO_PROXY") ?? "NO_PROXY");
  if (setting === null) return { proxy: null, except, unused: first("http_proxy", "HTTP_PROXY") };
  const text = read(setting);
  const url = urlOf(text);
  if (!url || !schemes.includes(url.protocol) || url.hostname === "" || !["", "/"].includes(url.pathname)) {
    report(
      setting,
      "must be the address of a proxy, as in http://proxy.example:3128 or socks5h://proxy.example:1080; write #, @ and / in a password as %23, %40 and %2F",
    );
    return { proxy: null, except, unused: null };
  }
  return { proxy: { setting, url: new Secret(url.href), host: url.host }, except, unused: null };
}

/** Parses the URL of a proxy, an HTTP proxy if there is no scheme; null if it is invalid. */
function urlOf(text: string): URL | null {
  const address = text.includes("://") ? text : `http://${text}`;
  return URL.canParse(address) ? new URL(address) : null;
}

/** Returns a sentence on how a URL is reached, without secrets; null if no proxy is set. */
export function routeText(address: string, settings: ProxySettings): string | null {
  const { proxy, unused } = settings;
  const url = new URL(address);
  if (unused) return `${unused} is not used: it is for http:// addresses; HTTPS_PROXY is for ${url.hostname}`;
  if (!proxy) return null;
  const why = whyDirect(url, settings);
  if (why) return `${proxy.setting} is not used for ${url.hostname}: ${why}`;
  return `${url.hostname} is reached through ${proxy.host} (${proxy.setting})`;
}

/** Returns why a URL is reached without the proxy; null if the proxy is used. */
export function whyDirect({ protocol, hostname, port }: URL, { except }: ProxySettings): string | null {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (isLoopback(host) || protocol === "http:") return "it is this machine itself";
  const isNamed = except
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      const [, name = "", at] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (at !== undefined && at !== (port || "443")) return false;
      return name === "*" || (name !== "" && (host === name || host.endsWith(`.${name}`)));
    });
  return isNamed ? "NO_PROXY names it" : null;
}

export const isProxySetting = (name: string): boolean => /^(https?|all)_proxy$/i.test(name);

/** Returns the secret parts of a proxy URL; none if it has neither a user name nor a password. */
export function secretsOfProxy(address: string): Secret[] {
  if (!address.includes("@")) return [];
  const url = urlOf(address);
  const { href = "", username = "", password = "" } = url ?? {};
  const pairs = [`${username}:${password}`, `${decoded(username)}:${decoded(password)}`];
  return [address, href, ...pairs, password, decoded(password)]
    .filter((text) => text.length > 1)
    .map((text) => new Secret(text));
}

/** Decodes percent escapes; returns a text with invalid escapes unchanged. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
