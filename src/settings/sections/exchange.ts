/** The settings of the exchange, and of the proxy. */

import { maxRequestsPerMinutePerIp } from "../../bitget/endpoints.ts";
import { parseProductType } from "../../bitget/product-types.ts";
import type { ProductType } from "../../core/domain.ts";
import { type ProxySettings, whyDirect } from "../../network/proxy.ts";
import { isOwnAddress, usualSpelling } from "../../network/source-addresses.ts";
import { flag, integer, items, origin, secret } from "../parsers.ts";
import { type Parse, type SettingsReader, section, type ValuesOf } from "../setting.ts";

const productTypes: Parse<ProductType[]> = (text, report) => {
  const parsed = items(text).map((word) => {
    const found = parseProductType(word);
    if (found === null) report(`has "${word.slice(0, 40)}", which is not a product type`);
    return found;
  });
  return [...new Set(parsed.filter((one) => one !== null))];
};

export const exchange = section({
  title: "The exchange",
  settings: {
    baseUrl: {
      name: "BITGET_BASE_URL",
      default: "https://api.bitget.com",
      parse: origin,
      description: "The base URL of the exchange's API.",
    },
    fallbackBaseUrl: {
      name: "BITGET_FALLBACK_BASE_URL",
      default: null,
      parse: origin,
      description: "Used only when the first host cannot be reached.",
    },
    demoTrading: {
      name: "BITGET_DEMO_TRADING",
      default: "false",
      parse: flag,
      description: "true for a demo-trading key (adds the header paptrading: 1).",
    },
    productTypes: {
      name: "BITGET_PRODUCT_TYPES",
      default: "umcbl,dmcbl,cmcbl,sumcbl",
      parse: productTypes,
      description: "The futures product types, in either spelling: umcbl or USDT-FUTURES.",
    },
    allowWriteKeys: {
      name: "BITGET_ALLOW_WRITE_KEYS",
      default: "false",
      parse: flag,
      description: "An account whose key can trade, transfer or withdraw is refused unless this is true.",
    },
  },
});

const address: Parse<string[]> = (text, report) => {
  const addresses = items(text).flatMap((item) => {
    if (item === "") return [];
    const found = usualSpelling(item);
    if (found === null) report(`has "${item.slice(0, 40)}", which is not an internet address such as 203.0.113.7`);
    else if (!isOwnAddress(found)) report(`has ${found}, which is not an address of this machine`);
    return found ?? [];
  });
  const twice = addresses.find((one, index) => addresses.indexOf(one) < index);
  if (twice !== undefined) report(`has ${twice} twice`);
  return addresses;
};

export const addresses = section({
  title: "Internet addresses",
  settings: {
    requestsPerMinute: {
      name: "REQUESTS_PER_MINUTE",
      default: String(maxRequestsPerMinutePerIp),
      parse: integer("requests", 60, 60_000),
      description:
        "The budget of one internet address. Bitget allows 6000; set less if other programs or machines send requests from the same address.",
    },
    sourceAddresses: {
      name: "SOURCE_ADDRESSES",
      default: "",
      parse: address,
      description:
        "Addresses of this machine to send requests from, separated by commas, each with a budget of its own; accounts are spread over them. Empty: the system chooses. Not possible through a proxy.",
    },
  },
});

/**
 * Reads the addresses; without `credentials`, for commands that send nothing to the exchange, there are none. Through a proxy all
 * requests would leave from its address, whatever ours is.
 */
export function readAddresses(
  reader: SettingsReader,
  credentials: boolean,
  { baseUrl, fallbackBaseUrl, proxy }: { baseUrl: string; fallbackBaseUrl: string | null; proxy: ProxySettings },
): ValuesOf<typeof addresses> {
  const { requestsPerMinute, sourceAddresses } = addresses.settings;
  const found = credentials ? reader.value(sourceAddresses) : [];
  const isProxied = [baseUrl, fallbackBaseUrl].some(
    (host) => host && URL.canParse(host) && whyDirect(new URL(host), proxy) === null,
  );
  if (found.length > 0 && proxy.proxy && isProxied)
    reader.report(
      sourceAddresses.name,
      `cannot be used with ${proxy.proxy.setting}: all requests would leave from the address of the proxy; unset one of them, or name the exchange in NO_PROXY`,
    );
  return { requestsPerMinute: reader.value(requestsPerMinute), sourceAddresses: found };
}

/** Proxies are read by `readProxySettings`, which also accepts lower case. */
export const proxies = section({
  title: "Proxy",
  settings: {
    https: {
      name: "HTTPS_PROXY",
      default: null,
      parse: secret(),
      secret: "with a password",
      description:
        "The proxy for everything outside this machine: http://, https:// or socks5h://, with USER:PASSWORD@ where it needs them, such as http://proxy.example:3128.",
    },
    all: {
      name: "ALL_PROXY",
      default: null,
      parse: secret(),
      secret: "with a password",
      description: "Used if HTTPS_PROXY is not set.",
    },
    except: {
      name: "NO_PROXY",
      default: "",
      parse: (text) => text,
      description: "Hosts that are connected to directly, separated by commas.",
    },
  },
});
