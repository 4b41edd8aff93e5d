/** After an update that changes the rules of the reconciliation, with an open alert about a break. */
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { normalize } from "../../../src/core/decimal.ts";
import { change } from "../../store/kit.ts";
import { run } from "../../support/program.ts";
import { classic } from "../../support/settings.ts";
import { createWorld } from "../../support/world.ts";

const hour = 3_600_000;
const start = Date.parse("2026-10-20T10:00:00Z");
const schedule = "*/30 * * * *";
const note = "by the rules of another version, until the next run of bills or `reconcile`";

it("old verdicts are named as such, not as damage; the next run replaces them without a false or a lost alert", async () => {
  const world = await createWorld(
    "2026-10-20T09:59:30Z",
    { SCHEDULE_MIX_ACCOUNTS: schedule, SCHEDULE_BILLS: schedule, ALERT_STALE: "false" },
    { from: start - 2 * hour, habits: { hasCashFlows: true, activity: 48 } },
  );
  const live = async (from: number, hours: number) => {
    for (let at = from; at <= from + hours * hour; at += hour / 2) {
      world.app.alerts.tick();
      await world.app.alerts.idle();
      await world.at(at);
      await world.app.alerts.idle();
    }
  };
  const states = () => world.rows("select state, kind from alert_message order by at");
  const program = async (...args: string[]) => {
    const { code, stdout } = await run(args, dirname(world.path), { DATABASE_URL: `file:${world.path}` });
    return { code, stdout };
  };
  await live(start, 1);
  world.clock.advanceTo(start + 1.9 * hour);
  const hidden = world.exchange
    .ledgerOf(classic.name)
    .find(({ at, wallet, change }) => at > start + 1.1 * hour && wallet === "umcbl" && normalize(change) !== "0");
  world.exchange.listFaults.hide(hidden?.id ?? "");
  await live(start + 2 * hour, 1);
  const fired = { state: "fired", kind: "ledger-break" };
  expect(states()).toEqual([fired]);
  const verdicts = () => world.rows("select wallet, coin, from_at, to_at, verdict from reconciliation");
  const before = verdicts();
  expect(new Set(before.map((row) => (row as { verdict: string }).verdict))).toContain("proven");

  // What an older version stored: the break was none, and there were others.
  change(world.path, "update reconciled set verdict = iif(verdict = 'break', 'proven', 'break')");
  expect(await program("db", "verify")).toMatchObject({ code: 1, stdout: expect.stringContaining("ALTERED") });
  change(world.path, "update ledger_chain set settled_at = null where wallet = ''");
  const verified = await program("db", "verify");
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining("OK, unaltered") });
  expect(verified.stdout).toContain(`verdicts on the ledger of main are ${note}`);
  expect((await program("status")).stdout).toContain(note);

  await world.restart();
  await live(start + 3.5 * hour, 0.5);
  expect(states()).toEqual([fired]);
  const isBefore = (row: unknown) => (row as { from_at: string }).from_at < new Date(start + 2 * hour).toISOString();
  const key = (row: unknown) =>
    JSON.stringify([(row as Record<string, string>).coin, (row as Record<string, string>).verdict]);
  expect(new Set(verdicts().filter(isBefore).map(key))).toEqual(new Set(before.filter(isBefore).map(key)));
  world.exchange.listFaults.show(hidden?.id ?? "");
  await live(Date.parse("2026-10-21T00:00:00Z"), 0.5);
  expect(states()).toEqual([fired, { state: "recovered", kind: "ledger-break" }]);
  const healed = await program("db", "verify");
  expect(healed.code).toBe(0);
  for (const text of [healed.stdout, (await program("status")).stdout]) expect(text).not.toContain("another version");
});
