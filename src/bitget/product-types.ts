/** The product types in the spellings of the three API versions. Source: https://www.bitget.com/api-doc/ (contract, uta). */
import { type ProductType, productTypes, type Scope } from "../core/domain.ts";

/** The `category` of v2 and v3. Demo product types (S…) exist in v2 only; the COIN-M and USDC-M demo names of v1 are inferred. */
const categories: Record<ProductType, string> = {
  umcbl: "USDT-FUTURES",
  dmcbl: "COIN-FUTURES",
  cmcbl: "USDC-FUTURES",
  sumcbl: "SUSDT-FUTURES",
  sdmcbl: "SCOIN-FUTURES",
  scmcbl: "SUSDC-FUTURES",
};

/** Returns the spelling of v2 and v3: `umcbl` becomes `USDT-FUTURES`. */
export const categoryOf = (productType: ProductType): string => categories[productType];

/** Returns whether a product type is one of the older demo ones, which unified accounts do not have. */
export const isDemoProductType = (productType: ProductType): boolean => productType.startsWith("s");

/** Returns whether a scope can hold real money: every scope except demo product types. */
export const holdsMoney = (scope: Scope): boolean =>
  !productTypes.some((type) => type === scope && isDemoProductType(type));

/** Parses a product type in either spelling and any case; returns null for anything else. */
export function parseProductType(text: string): ProductType | null {
  const wanted = text.trim();
  return (
    productTypes.find((type) => type === wanted.toLowerCase() || categories[type] === wanted.toUpperCase()) ?? null
  );
}
