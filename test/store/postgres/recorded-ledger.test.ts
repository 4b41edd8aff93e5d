/** The reconciliation of the exchange's ledger in a history that is recorded into PostgreSQL. */
import { getTableName } from "drizzle-orm";
import { expect, it, onTestFinished } from "vitest";
import { normalize } from "../../../src/core/decimal.ts";
import { Secret } from "../../../src/core/domain.ts";
import { StorageError } from "../../../src/core/errors.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { mirror } from "../../../src/store/postgres/copy/mirror.ts";
import { reconcileHistory } from "../../../src/store/postgres/ledger/reconcile-history.ts";
import { ReconciledMirror } from "../../../src/store/postgres/ledger/reconcile-mirror.ts";
import { ledgerReads } from "../../../src/store/read/ledger/verdicts.ts";
import { ledgerTables } from "../../../src/store/schema/derived/ledger-tables.ts";
import { openReadOnly } from "../../../src/store/sqlite/database.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { classic } from "../../support/settings.ts";
import { seconds } from "../../support/wait.ts";
import { createWorld } from "../../support/world.ts";
import { temporaryPath } from "../temporary.ts";
import { contentsOf, expectSameViews } from "./fill.ts";
import { connected, describePostgres } from "./kit.ts";
import { newRecordedHistory, setDatabaseTime } from "./recorder-kit.ts";

const hour = 3_600_000;
const start = Date.parse("2026-10-20T10:00:00Z");
// A pattern that names its seconds is not moved.
const schedule = "0 */30 * * * *";

/** The process writes others while it is compared. */
const views = ["bills", "reconciliation", "wallet_balances", "ledger_findings", "position_episodes", "gaps"];

/** Returns the rows of the reconciliation in a mirror. */
function reconciliationIn(path: string): Record<string, string[] | undefined> {
  const all = contentsOf(path);
  return Object.fromEntries(ledgerTables.map((table) => [getTableName(table), all[getTableName(table)]]));
}

/** A process that records into PostgreSQL, with its mirror and another one. */
async function startRecording() {
  const url = await newRecordedHistory(start - 30_000);
  const world = await createWorld(
    "2026-10-20T09:59:30Z",
    {
      DATABASE_URL: url,
      WORKER_NAME: "one",
      SCHEDULE_SPOT_ASSETS: schedule,
      SCHEDULE_FUNDING_ASSETS: schedule,
      SCHEDULE_MIX_ACCOUNTS: schedule,
      SCHEDULE_POSITIONS: schedule,
      SCHEDULE_BILLS: schedule,
      SCHEDULE_CLOSED_POSITIONS: schedule,
    },
    { from: start - 12 * hour, habits: { hasCashFlows: true, activity: 48 } },
  );
  const [postgres, other] = [await connected(url), temporaryPath()];
  const refresh = async (path: string) => void (await mirror(postgres, path, { datasets, now: () => start }));
  const isSame = async () => {
    for (const path of [world.path, other]) {
      await refresh(path);
      await expectSameViews(postgres, path, views);
    }
    expect(reconciliationIn(other)).toEqual(reconciliationIn(world.path));
  };
  const live = async (from: number, hours: number) => {
    for (let at = from; at <= from + hours * hour; at += hour / 2) {
      await setDatabaseTime(url, at);
      await world.at(at);
      await refresh(other);
    }
    await isSame();
    expect((await verify(other, datasets)).problems).toEqual([]);
  };
  const verdicts = async () => {
    const found = await postgres.query<{ verdict: string }>("select distinct verdict from reconciliation");
    return found.map(({ verdict }) => verdict);
  };
  return { url, world, postgres, other, refresh, isSame, live, verdicts };
}

describePostgres("a recorded reconciliation", () => {
  it("is stored after each run, with a break, and when it heals; each mirror has the same", async () => {
    const { world, postgres, live, verdicts } = await startRecording();
    await live(start, 1);
    expect(await verdicts()).toContain("proven");
    world.clock.advanceTo(start + 1.9 * hour);
    const hidden = world.exchange
      .ledgerOf(classic.name)
      .find(({ at, wallet, change }) => at > start + 1.1 * hour && wallet === "umcbl" && normalize(change) !== "0");
    world.exchange.listFaults.hide(hidden?.id ?? "");
    await live(start + 2 * hour, 1);
    expect(await verdicts()).toContain("break");
    const { ledger } = world.app.store;
    const inMirror = openReadOnly(world.path);
    const expected = ledgerReads(inMirror);
    expect(await ledger?.proofs()).toEqual(expected.proofs());
    const [found] = expected.breaks("main");
    expect(await ledger?.breaks("main")).toEqual([found]);
    for (const from of [0, start, found?.from ?? 0, found?.to ?? 0]) {
      const ref = { account: "main", wallet: "umcbl", coin: "USDT", from };
      expect(await ledger?.verdictAt(ref)).toEqual(expected.verdictAt(ref));
    }
    inMirror.close();
    world.exchange.listFaults.show(hidden?.id ?? "");
    // The first run of a day reads three days again. The steps of entries that are settled change then.
    await live(Date.parse("2026-10-21T00:00:00Z"), 0.5);
    expect(await verdicts()).not.toContain("break");
    const counts = `select (select count(*) from bill_step) as steps, (select count(*) from ledger_finding) as findings,
      (select count(*) from position_episodes where verdict = 'proven') as positions`;
    const [counted] = await postgres.query<Record<string, number>>(counts);
    expect(Math.min(...Object.values(counted ?? {}))).toBeGreaterThan(0);
  });

  it("by the rules of another version is made again by the next run, in PostgreSQL and in each mirror", async () => {
    const { world, postgres, other, refresh, live, isSame } = await startRecording();
    await live(start, 1);
    const verdicts = () =>
      postgres.query("select wallet, coin, from_at, verdict, cause from reconciliation order by 1, 2, 3");
    const before = await verdicts();
    await postgres.run("update reconciled set verdict = 'break' where verdict = 'proven'");
    await postgres.run(
      `update ledger_chain set settled_at = case when wallet = '' then null else settled_at end, revision = revision + 1,
         full_revision = revision + 1`,
    );
    const outdated = async () => {
      await refresh(other);
      const { problems, outdated } = await verify(other, datasets);
      return { problems, outdated, isCurrent: (await world.app.store.ledger?.proofs())?.some((one) => one.isCurrent) };
    };
    expect(await outdated()).toEqual({ problems: [], outdated: ["main"], isCurrent: false });
    await world.app.store.ledger?.reconcile("main", world.clock.now());
    expect(await verdicts()).toEqual(before);
    expect(await outdated()).toEqual({ problems: [], outdated: [], isCurrent: true });
    await isSame();
  });

  it("is that of the first of several processes or of the command; where it cannot be stored, PostgreSQL and mirror keep the last one", async () => {
    const { url, world, postgres, other, refresh, isSame, live } = await startRecording();
    await live(start, 0);
    const mirrored = [world.path, other].map((path) => new ReconciledMirror(postgres, path, datasets));
    onTestFinished(() => {
      for (const one of mirrored) one.close();
    });
    const options = { account: "main", now: start + hour };
    const [first, second] = [await mirrored[0]?.reconcile(options), await mirrored[1]?.reconcile(options)];
    const chains = first?.chains;
    expect([first, second]).toEqual([{ chains: expect.any(Number), entries: expect.any(Number) }, null]);
    await refresh(other);
    expect(await mirrored[1]?.reconcile({ ...options, now: start + hour + 1 })).toMatchObject({ chains });
    await isSame();

    // The connection is lost before the result is stored.
    const before = reconciliationIn(other);
    const lost = new ReconciledMirror(await connected(url, { name: "lost" }), other, datasets);
    onTestFinished(() => lost.close());
    await postgres.transaction(async (locking) => {
      await locking.run("select 1 from account where name = 'main' for update");
      const failed = expect(lost.reconcile({ ...options, now: start + hour + 2 })).rejects.toThrow(StorageError);
      const waiting = `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'bitget-collector lost' and wait_event_type = 'Lock' and datname = current_database()`;
      while ((await postgres.query(waiting)).length === 0) await seconds(0.05);
      await failed;
    });
    expect(reconciliationIn(other)).toEqual(before);
    expect(await lost.reconcile({ ...options, now: start + hour + 3 })).toMatchObject({ chains });
    await isSame();

    const reconciled = async (user: string, path: string) => {
      const address = new Secret(url.replace("postgres@", `${user}@`));
      return reconcileHistory({ url: address, path, datasets }, { now: start + 2 * hour, isFull: true });
    };
    expect(await reconciled("postgres", other)).toMatchObject({ chains, isStored: true });
    await isSame();
    const stored = reconciliationIn(other);
    const reader = `reader_${process.pid}`;
    await postgres.run(`create role ${reader} login`);
    onTestFinished(async () => {
      await postgres.run(`drop owned by ${reader}`);
      await postgres.run(`drop role ${reader}`);
    });
    await postgres.run(`grant usage on schema bitget to ${reader}`);
    await postgres.run(`grant select on all tables in schema bitget to ${reader}`);
    expect(await reconciled(reader, other)).toMatchObject({ isStored: false });
    expect(reconciliationIn(other)).not.toEqual(stored);
    await isSame();
    expect(reconciliationIn(other)).toEqual(stored);
  });
});
