/** Defines what the lists of the exchange's ledger have in common: their limits, scopes, pages, and fields. */
import { z } from "zod";
import { categoryOf, holdsMoney } from "../../bitget/product-types.ts";
import { type Extra, type Params, type ProductType, type Scope, unifiedCategories } from "../../core/domain.ts";
import { dayMs } from "../../core/time.ts";
import { list, text } from "../fields.ts";
import type { PageParams } from "../incremental.ts";

/** The exchange deletes records after this time, as far as is documented. */
const retentionMs = 90 * dayMs;

/** A list whose window may be as long as the exchange remembers. */
export const ofNinetyDays = { spanMs: retentionMs, retentionMs };

/** A list whose window may have thirty days. */
export const ofThirtyDays = { spanMs: 30 * dayMs, retentionMs };

/** A list whose window may have seven days. */
export const ofSevenDays = { spanMs: 7 * dayMs, retentionMs };

/** The parameter names of the lists of v3. */
export const byCursor: PageParams = { from: "startTime", to: "endTime", limit: "limit", after: "cursor" };

/** Returns the parameters of the list of one wallet, which selects nothing. */
export const ofWallet = (scope: Exclude<Scope, null>) => ({ scopes: (): Scope[] => [scope] });

/** One list per product type in the parameter `param`. Demo product types have none: demo trading has the live ones. */
export const perLiveProductType = (param: string) => ({
  scopes: (productTypes: readonly ProductType[]): Scope[] => productTypes.filter(holdsMoney),
  params: (scope: Scope): Params => ({ [param]: categoryOf(scope as ProductType) }),
});

/** One list per category of the unified wallet. `OTHER`, which has transfers, lists neither orders nor fills. */
export const perUnifiedCategory = (categories: readonly (typeof unifiedCategories)[number][] = unifiedCategories) => ({
  scopes: (): Scope[] => categories.map((category) => `unified/${category}` as const),
  params: (scope: Scope): Params => ({ category: String(scope).slice("unified/".length) }),
});

/** Returns the schema of a list of v3, which is null if it is empty, with the cursor of the next page. */
export const listWithCursor = <Item>(of: z.ZodType<Item>): z.ZodType<{ list: Item[] | null; cursor: string | null }> =>
  z.object({ list: list(of).nullable(), cursor: text.transform((cursor) => cursor ?? null) });

/** Returns the rows of parsed records, each with its unknown fields. */
export const rowsOf = <Fields, Row>(
  records: readonly { fields: Fields; extra: Extra }[] | null,
  row: (fields: Fields) => Row,
): { row: Row; extra: Extra }[] => (records ?? []).map(({ fields, extra }) => ({ row: row(fields), extra }));
