/** Where the dashboard is served. */
import type { Secret } from "../../core/domain.ts";
import { isLoopback } from "../../network/proxy.ts";
import { integer, isHost, isHostName, items, secret } from "../parsers.ts";
import { type SettingsReader, section } from "../setting.ts";

export interface HttpSettings {
  host: string;
  /** 0: one that is free. */
  port: number;
  /** Null: nobody is asked for one. */
  token: Secret | null;
  /** Names of this machine by which the pages may be requested, beside its addresses; in small letters. */
  names: string[];
}

/** Nobody guesses a random one of this length. */
const minTokenLength = 16;

export const pages = section({
  title: "The dashboard",
  settings: {
    port: {
      name: "HTTP_PORT",
      default: "8787",
      verbatim: true,
      parse: (text, report) => (text.trim() === "" ? null : integer("numbers", 0, 65_535)(text.trim(), report)),
      description: "The port of the dashboard. 0 picks a free one, empty switches the dashboard off.",
    },
    host: {
      name: "HTTP_HOST",
      default: "127.0.0.1",
      parse(text, report) {
        const host = text.replace(/^\[(.*)\]$/, "$1");
        if (!isHost(host)) report(`is "${host.slice(0, 40)}"; it must be an address of this machine, as in 127.0.0.1`);
        return host;
      },
      description: "The address that the dashboard listens on.",
    },
    names: {
      name: "HTTP_NAMES",
      default: "",
      parse(text, report) {
        const names = items(text.toLowerCase()).filter((name) => name !== "");
        for (const name of names.filter((one) => !isHostName(one)))
          report(`has "${name.slice(0, 40)}"; a name is that of a host alone, as in collector.example.com`);
        return names;
      },
      description:
        "Host names, beside addresses, under which the dashboard may be requested, of a proxy or of this machine in its network: collector.example.com,nas.local. Needs HTTP_TOKEN.",
    },
    token: {
      name: "HTTP_TOKEN",
      default: null,
      parse: secret(minTokenLength),
      secret: "always",
      description:
        "The token that readers of the dashboard must know, 16 characters or more. Required for any HTTP_HOST but this machine itself. To make one: openssl rand -hex 24 > token; chmod 600 token; and HTTP_TOKEN_FILE=./token.",
    },
  },
});

/** Returns null where the dashboard is switched off. */
export function readPages(reader: SettingsReader): HttpSettings | null {
  const { settings } = pages;
  const port = reader.value(settings.port);
  if (port === null) return null;
  const host = reader.value(settings.host);
  const names = reader.value(settings.names);
  const token = reader.value(settings.token);
  const opener = isLoopback(host) ? (names.length > 0 ? "HTTP_NAMES" : null) : "HTTP_HOST";
  if (token === null && opener !== null)
    reader.report(
      settings.token.name,
      `is missing, and ${opener} lets others in; set one of 16 characters or more, as \`openssl rand -hex 24\` makes them`,
    );
  return { host, port, names, token };
}
