/** Records outcomes of slots, for tests of what follows from them. */
import type { ProductType, Trigger } from "../../src/core/domain.ts";
import type { Store } from "../../src/store/store.ts";
import { failed, good } from "./kit.ts";
import { positions } from "./minutes.ts";

/** "partly": the second scope fails; "both": the first two; "begun": the run does not end; "recover": the program starts again. */
export const outcomes = ["missed", "skipped", "ok", "failed", "partly", "both", "begun", "recover"] as const;

export interface Outcome {
  what: (typeof outcomes)[number];
  /** Epoch ms. */
  slot: number;
  trigger: Trigger;
  cause: string;
}

export async function recordOutcome(
  store: Store,
  { what, slot, trigger, cause }: Outcome,
  scopes: readonly ProductType[],
): Promise<void> {
  if (what === "recover") return void (await store.recover());
  if (what === "missed" || what === "skipped")
    return store.closeSlots("main", "positions", [{ slot, state: what, cause }]);
  const run = await store.begin("main", "positions", slot, slot + 5, trigger);
  if (run === null || what === "begun") return;
  const results = scopes.map((scope, n) => {
    const isBad = what === "failed" || (what === "partly" && n === 1) || (what === "both" && n < 2);
    return isBad ? failed(cause, slot, scope) : good([], slot, scope);
  });
  await store.finish(run, {
    dataset: positions,
    snapshots: results.filter((result) => "items" in result),
    failures: results.filter((result) => "code" in result),
    cause: null,
    finishedAt: slot + 9,
    requests: scopes.length,
    retries: 0,
    spreadMs: null,
    skewMs: null,
    skipped: false,
  });
}
