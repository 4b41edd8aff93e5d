/** The product types in the spellings of the three API versions. Source: https://www.bitget.com/api-doc/ (contract, uta). */
import { type ProductType, productTypes, type Scope } from "../core/domain.ts";

/** `category` of v2 and v3. The demo lines (S…) exist in v2 only; the Coin-M and USDC-M demo names of v1 are inferred. */
const categories: Record<ProductType, string> = {
  umcbl: "USDT-FUTURES",
  dmcbl: "COIN-FUTURES",
  cmcbl: "USDC-FUTURES",
  sumcbl: "SUSDT-FUTURES",
  sdmcbl: "SCOIN-FUTURES",
  scmcbl: "SUSDC-FUTURES",
};

/** `umcbl` -> `USDT-FUTURES`. */
export const categoryOf = (productType: ProductType): string => categories[productType];

/** True for the older demo lines, which unified accounts do not have. */
export const isDemoLine = (productType: ProductType): boolean => productType.startsWith("s");

/** True for every scope but the demo lines, which hold none. */
export const isMoney = (scope: Scope): boolean => scope === null || scope === "unified" || !isDemoLine(scope);

/** A product type in either spelling and any case; null for anything else. */
export function parseProductType(text: string): ProductType | null {
  const wanted = text.trim();
  return (
    productTypes.find((type) => type === wanted.toLowerCase() || categories[type] === wanted.toUpperCase()) ?? null
  );
}
