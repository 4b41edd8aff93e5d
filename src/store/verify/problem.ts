/** Types that the checks of a verification share. */

/** Takes one sentence that names table and field, and the slot (epoch ms) where there is one. */
export type Report = (problem: string, slot?: number) => void;

/** One scope of a series; `latest` is the id of its last good snapshot, null where there is none. */
export interface ScopeRow {
  id: number;
  dataset: string;
  account: string;
  productType: string;
  latest: number | null;
}
