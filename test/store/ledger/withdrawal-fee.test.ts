/** The fee of a withdrawal from the funding wallet is in the withdrawal's record, which is read less often than the ledger. */
import { expect, it } from "vitest";
import { credentials, unified } from "../../support/settings.ts";
import { createWorld } from "../../support/world.ts";

const minute = 60_000;
const start = Date.parse("2026-10-20T10:10:00Z");

it("a withdrawal is no break until its record was read, and proven from then on", async () => {
  const every = "*/10 * * * *";
  const world = await createWorld(
    new Date(start - minute).toISOString(),
    {
      ...{ SCHEDULE_SPOT_ASSETS: every, SCHEDULE_FUNDING_ASSETS: every, SCHEDULE_BILLS: every },
      SCHEDULE_WITHDRAWALS: "10 10,14 * * *",
      ...credentials(unified),
    },
    { accounts: [unified], seed: 3, from: start - 2 * 60 * minute, habits: { hasCashFlows: true, activity: 48 } },
  );
  const ofFunding = (verdicts: string) =>
    world.rows(`select verdict, cause from reconciliation where wallet = 'funding' and verdict in (${verdicts})`);
  let open = 0;
  for (let at = start; at < start + 230 * minute; at += 10 * minute) {
    await world.at(at);
    expect(ofFunding("'break', 'gap'"), new Date(at).toISOString()).toEqual([]);
    open += ofFunding("'open'").filter((row) => (row as { cause: string }).cause === "entries may be late").length;
  }
  expect(open).toBeGreaterThan(5);
  await world.at("2026-10-20T14:05:00Z");
  await world.at("2026-10-20T14:10:00Z");
  await world.at("2026-10-20T14:30:00Z");
  const fees = "select count(*) as n from bills where wallet = 'funding' and kind = 'withdrawal' and change <> amount";
  expect(Number((world.rows(fees)[0] as { n: number }).n)).toBeGreaterThan(0);
  expect(ofFunding("'break', 'gap'")).toEqual([]);
});
