/** One entry of the exchange's ledger is missing for hours: what the daemon says about it, in alerts, metrics and gaps, also after a restart. */
import { expect, it } from "vitest";
import { normalize } from "../../../src/core/decimal.ts";
import { parseExposition } from "../../support/exposition.ts";
import { classic } from "../../support/settings.ts";
import { createWorld } from "../../support/world.ts";

const minute = 60_000;
const hour = 60 * minute;
const start = Date.parse("2026-10-20T10:00:00Z");
const schedule = "*/30 * * * *";

it("alerts once about a missing entry, also after a restart, and recovers once when the entry appears", async () => {
  const world = await createWorld(
    "2026-10-20T09:59:30Z",
    {
      SCHEDULE_MIX_ACCOUNTS: schedule,
      SCHEDULE_FUNDING_ASSETS: schedule,
      SCHEDULE_BILLS: schedule,
      ALERT_STALE: "false",
    },
    { from: start - 2 * hour, habits: { hasCashFlows: true, activity: 48 } },
  );
  const live = async (from: number, hours: number) => {
    for (let at = from; at <= from + hours * hour; at += 30 * minute) {
      world.app.alerts.tick();
      await world.app.alerts.idle();
      await world.at(at);
      await world.app.alerts.idle();
    }
  };
  const messages = () => world.rows("select alert, state, kind, account, what, value, sentence from alert_message");
  const ledger = async (name: string) =>
    parseExposition(await world.metrics.text())
      .filter((one) => one.name === `bitget_ledger_${name}` && one.labels.wallet === "umcbl")
      .map(({ labels, value }) => [labels.account, value]);
  const rebuilt = () =>
    (world.rows("select distinct dataset, rebuilt from gaps order by 1, 2") as Record<string, unknown>[]).map(
      (gap) => `${gap.dataset} ${gap.rebuilt}`,
    );
  expect(await ledger("breaks")).toEqual([]);
  await live(start, 1);
  expect(await ledger("breaks")).toEqual([["main", 0]]);
  world.clock.advanceTo(start + 1.9 * hour);
  const hidden = world.exchange
    .ledgerOf(classic.name)
    .find(({ at, wallet, change }) => at > start + 1.1 * hour && wallet === "umcbl" && normalize(change) !== "0");
  if (!hidden) throw new Error("nothing happened");
  world.exchange.listFaults.hide(hidden.id);
  await live(start + 2 * hour, 1);
  const residual = normalize(hidden.change);
  const fired = {
    state: "fired",
    kind: "ledger-break",
    account: "main",
    what: "ledger of USDT in umcbl",
    value: residual,
    sentence: expect.stringMatching(
      /^Alert: main: ledger of USDT in umcbl does not explain the balance from 2026-10-20 11:00:0\d UTC to 2026-10-20 12:00:0\d UTC: [<>−\d,.]+ USDT are left over; see `reconcile --account main --wallet umcbl --coin USDT`\.$/,
    ),
  };
  expect(messages()).toMatchObject([fired]);
  expect(await ledger("breaks")).toEqual([["main", 1]]);
  const [newest] = world.rows("select max(at_ms) as at from bills where wallet = 'umcbl'") as { at: number }[];
  const ageAtLeast = (world.clock.now() - (newest?.at ?? 0)) / 1000;
  const [[, age] = []] = await ledger("newest_entry_age_seconds");
  expect(age).toBeGreaterThanOrEqual(ageAtLeast);
  expect(age).toBeLessThanOrEqual((world.clock.now() - (newest?.at ?? 0)) / 1000);
  // Nothing ran at 11:30, when the ledger of the funding wallet does not exist and that of the futures has the break.
  expect(rebuilt()).toEqual(["bills null", "funding-assets 0", "mix-accounts 0"]);
  const proven = await ledger("proven_ratio");
  await world.restart();
  await live(start + 3.5 * hour, 1);
  expect(messages()).toHaveLength(1);
  world.exchange.listFaults.show(hidden.id);
  // The entry is older than what every run reads again; the first one of a day reads three days.
  await live(Date.parse("2026-10-21T00:00:00Z"), 0.5);
  await world.restart();
  await live(Date.parse("2026-10-21T01:30:00Z"), 0.5);
  expect(messages()).toMatchObject([fired, { state: "recovered", kind: "ledger-break", value: null }]);
  expect(await ledger("breaks")).toEqual([["main", 0]]);
  expect(rebuilt()).toEqual(["bills null", "funding-assets 0", "mix-accounts 1"]);
  const [[, before] = [], [, after] = []] = [...proven, ...(await ledger("proven_ratio"))];
  expect(before).toBeGreaterThan(0);
  expect(after).toBeGreaterThan(Number(before));
  expect(after).toBeLessThanOrEqual(1);
});
