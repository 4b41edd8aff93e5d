/** The pages that need no parameters, by their paths. The overview has none. */
export const pageNames: readonly string[] = [
  "positions",
  "balances",
  "performance",
  "reports",
  "collection",
  "reconciliation",
];
