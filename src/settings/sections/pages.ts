/** The settings of the dashboard. */
import type { Secret } from "../../core/domain.ts";
import { isLoopback } from "../../network/proxy.ts";
import { integer, isHost, isHostName, items, secret } from "../parsers.ts";
import { type SettingsReader, section } from "../setting.ts";

export interface HttpSettings {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Null: no token is required. */
  token: Secret | null;
  /** Host names, in lower case, by which the dashboard may be requested in addition to addresses. */
  names: string[];
}

/** A random token of this length cannot be guessed. Characters. */
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
        if (!isHost(host))
          report(`is "${host.slice(0, 40)}"; it must be an address of this machine, such as 127.0.0.1`);
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
          report(`has "${name.slice(0, 40)}", which is not a host name such as collector.example.com`);
        return names;
      },
      description:
        "Host names, in addition to addresses, by which the dashboard may be requested, of a proxy or of this machine: collector.example.com,nas.local. Requires HTTP_TOKEN.",
    },
    token: {
      name: "HTTP_TOKEN",
      default: null,
      parse: secret(minTokenLength),
      secret: "always",
      description:
        "The access token of the dashboard, at least 16 characters. Required for any HTTP_HOST but this machine itself. To create one: openssl rand -hex 24 > token; chmod 600 token; and HTTP_TOKEN_FILE=./token.",
    },
  },
});

/** Reads the settings of the dashboard; null if it is switched off. */
export function readPages(reader: SettingsReader): HttpSettings | null {
  const { settings } = pages;
  const port = reader.value(settings.port);
  if (port === null) return null;
  const host = reader.value(settings.host);
  const names = reader.value(settings.names);
  const token = reader.value(settings.token);
  const reason = isLoopback(host) ? (names.length > 0 ? "HTTP_NAMES" : null) : "HTTP_HOST";
  if (token === null && reason !== null)
    reader.report(
      settings.token.name,
      `is missing, and ${reason} opens the dashboard to other machines; set a token of at least 16 characters, for example from \`openssl rand -hex 24\``,
    );
  return { host, port, names, token };
}
