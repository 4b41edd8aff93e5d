/** Names product types, wallets and margin modes in the words of the exchange's site, for pages and statements. JSON and CSV keep the stored values. */

const walletLabels: Readonly<Record<string, string>> = {
  spot: "Spot",
  funding: "Funding",
  futures: "Futures",
  unified: "Unified",
  umcbl: "USDT-M",
  dmcbl: "COIN-M",
  cmcbl: "USDC-M",
  sumcbl: "USDT-M demo",
  "margin-crossed": "Cross margin",
  "margin-isolated": "Isolated margin",
};

/** Returns the label of a wallet or product type; an unknown one is returned unchanged. */
export function walletLabel(wallet: string): string {
  const [name = "", pair] = wallet.split("/");
  const label = walletLabels[name];
  return label === undefined ? wallet : pair === undefined ? label : `${label}, ${pair}`;
}

/** Returns the label of a margin mode; an unknown one is returned unchanged. */
export const marginModeLabel = (mode: string): string => ({ crossed: "Cross", isolated: "Isolated" })[mode] ?? mode;

/** Returns causes, such as "spot: 503; umcbl: 40015", with the status and codes of the exchange called so. */
export const withCodeNamed = (cause: string): string =>
  cause
    .replace(/(^|[:;] )([45]\d\d)(?=$|;)/g, "$1the exchange answered HTTP $2")
    .replace(/(^|[:;] )(\d{5})(?=$|;)/g, "$1the exchange answered with its code $2");
