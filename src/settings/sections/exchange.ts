/** The settings of the exchange, and of the proxy. */
import { parseProductType } from "../../bitget/product-types.ts";
import type { ProductType } from "../../core/domain.ts";
import { flag, items, origin, secret } from "../parsers.ts";
import { type Parse, section } from "../setting.ts";

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
