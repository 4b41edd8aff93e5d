/** A history that is recorded into SQLite and into PostgreSQL is the same in every view. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Extra, Item, Scope, Value } from "../../../src/core/domain.ts";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { mirror } from "../../../src/store/postgres/copy/mirror.ts";
import { sharedViews } from "../../../src/store/postgres/views.ts";
import type { RunEnd, Store } from "../../../src/store/store.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { failed, good, item, minute, query, start } from "../kit.ts";
import { outcomes, recordOutcome } from "../slot-outcomes.ts";
import { open, temporaryPath } from "../temporary.ts";
import { contentsOf } from "./fill.ts";
import { connected, describePostgres } from "./kit.ts";
import { newRecordedHistory, recorderAt } from "./recorder-kit.ts";

/** `isOnlyMain`: other accounts do nothing. */
type Step = (store: Store, isOnlyMain: boolean) => Promise<unknown>;

const at = (n: number): number => start + n * minute;
const [spot, positions, prices] = [
  snapshotDatasetNamed("spot-assets"),
  snapshotDatasetNamed("positions"),
  snapshotDatasetNamed("prices"),
];

// -0.00 and 007 are the digits that `numeric` does not keep.
const amount = fc.constantFrom<Value>("0", "1", "1.0", "-0.00", "007", "0.10", "-12.5", null);
const extra = fc.constantFrom<Extra>(null, { note: "a" }, { note: "b\u0000" });
const balance = fc
  .tuple(fc.constantFrom("BTC", "ETH", "a b"), amount, amount, extra)
  .map(([coin, available, frozen, more]) => item(spot, { coin, available, frozen }, more));
const position = fc
  .record({ symbol: fc.constantFrom("BTCUSDT", "ETHUSDT"), total: amount, unrealizedPl: amount, markPrice: amount })
  .chain((cells) =>
    fc
      .constantFrom(null, at(-5), at(-3))
      .map((openedAt) =>
        item(positions, { ...cells, marginCoin: "USDT", holdSide: "long", marginMode: "crossed", openedAt }),
      ),
  );
const price = amount.map((one) => item(prices, { coin: "BTC", quote: "USDT", price: one }));

/** Items with different keys. */
const items = (of: fc.Arbitrary<Item>) =>
  fc.uniqueArray(of, { maxLength: 3, selector: ({ row }) => `${row.coin ?? row.symbol}` });

const scopes = ["umcbl", "dmcbl"] as const;
const message = fc.constantFrom("no answer", "\ud800 cut", 'quoted "{a,b}" \\');

const slot = fc.nat({ max: 12 });

/** A run with a good or failed snapshot of each scope that it requests. */
const ended = (n: number) =>
  fc.oneof(
    items(balance).map((found) => ({ account: "main", dataset: spot, snapshots: [good(found, at(n))], failures: [] })),
    items(price).map((found) => ({
      account: "public",
      dataset: prices,
      snapshots: [good(found, at(n))],
      failures: [],
    })),
    fc
      .record({
        account: fc.constantFrom("main", "hedge"),
        asked: fc.subarray([...scopes], { minLength: 1 }),
        failing: fc.subarray([...scopes]),
        found: items(position),
        message,
      })
      .map(({ account, asked, failing, found, message }) => ({
        ...{ account, dataset: positions },
        snapshots: asked.filter((one) => !failing.includes(one)).map((scope) => good(found, at(n) + 7, scope)),
        failures: asked
          .filter((one) => failing.includes(one))
          .map((scope: Scope) => ({ ...failed("tls", at(n), scope), message })),
      })),
  );

const collected: fc.Arbitrary<Step> = slot.chain((n) =>
  fc.tuple(ended(n), fc.boolean()).map(([{ account, ...end }, isManual]) => async (store, isOnlyMain) => {
    if (isOnlyMain && account !== "main") return null;
    const due = at(n) + (isManual ? 1 : 0);
    const run = await store.begin(account, end.dataset.name, due, due + 20, isManual ? "demand" : "schedule");
    const rest = {
      cause: null,
      finishedAt: at(n) + 300,
      requests: 1,
      retries: 0,
      spreadMs: 5,
      skewMs: -3,
      skipped: false,
    };
    return run !== null && store.finish(run, { ...rest, ...end } satisfies RunEnd);
  }),
);

const outcome: fc.Arbitrary<Step> = fc
  .record({ what: fc.constantFrom(...outcomes), n: slot, cause: fc.constantFrom("timeout", "asleep") })
  .map(({ n, ...rest }) => {
    const one = { ...rest, slot: at(n), trigger: n % 3 === 0 ? "demand" : "schedule" } as const;
    return (store) => recordOutcome(store, one, ["umcbl", "dmcbl", "cmcbl"]);
  });

const closed: fc.Arbitrary<Step> = fc.uniqueArray(slot, { minLength: 1, maxLength: 6 }).map(
  (slots) => (store) =>
    store.closeSlots(
      "main",
      "spot-assets",
      slots.map((n) => ({
        ...{ slot: at(n), cause: n % 4 === 0 ? "overlap" : "asleep" },
        state: n % 4 === 0 ? ("skipped" as const) : ("missed" as const),
      })),
    ),
);

const others: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(slot, fc.constantFrom("* * * * *", "*/5 * * * *")).map(
    ([n, pattern]): Step =>
      async (store) => {
        // The same schedule again: a store that is shared keeps the one that another process has begun.
        const isNew = (await store.schedule("main", "positions"))?.pattern !== pattern;
        if (isNew) await store.setSchedule("main", "positions", pattern, at(n));
      },
  ),
  fc.tuple(slot, fc.constantFrom("v2" as const, "v3" as const)).map(
    ([n, api]): Step =>
      (store) =>
        store.setApiVersion("main", api, at(n), "first seen"),
  ),
  slot.map(
    (n): Step =>
      (store) =>
        store.begin("main", "positions", at(n), at(n) + 9),
  ),
  fc.constant<Step>((store) => store.recover()),
);

const step = fc.oneof({ weight: 4, arbitrary: collected }, outcome, closed, others);

const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

describePostgres("a history recorded into SQLite and into PostgreSQL", () => {
  it("is the same in every view, has the same links in the chain of an account, and verifies in a mirror", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), fc.boolean(), async (steps, isOnlyMain) => {
        const path = temporaryPath();
        const url = await newRecordedHistory();
        const sqlite = await open(path);
        // Every run is past its deadline, so that `recover` fails it, as it does in SQLite.
        const recorder = await recorderAt(url, { worker: null, leaseMs: -minute });
        const postgres = await connected(url);
        const [copy, fresh] = [temporaryPath(), temporaryPath()];
        const refresh = (file: string) => mirror(postgres, file, { datasets, now: () => start });
        for (const [n, one] of steps.entries()) {
          expect(await one(recorder, isOnlyMain)).toEqual(await one(sqlite, isOnlyMain));
          if (n % 6 === 5) await refresh(copy);
        }
        // At the end only: a process that shares a history claims no slot of a schedule that another one has ended.
        for (const store of [recorder, sqlite]) await store.setSchedule("main", "positions", null, at(13));
        for (const file of [copy, fresh]) await refresh(file);
        expect(contentsOf(copy)).toEqual(contentsOf(fresh));
        expect((await verify(copy, datasets)).problems).toEqual((await verify(path, datasets)).problems);
        for (const view of sharedViews(datasets))
          expect(sorted(await postgres.query(`select * from ${view}`)), view).toEqual(
            sorted(query(path, `select * from ${view}`)),
          );
        const links = "select run_id, note, digest from link order by id";
        if (isOnlyMain) expect(await postgres.query(links)).toEqual(query(path, links));
        const again = await recorderAt(url);
        for (const dataset of [spot, positions, prices]) {
          const latest = await sqlite.latest(dataset);
          expect(await recorder.latest(dataset)).toEqual(latest);
          // Read from the tables, not from memory.
          expect(await again.latest(dataset)).toEqual(latest);
        }
        for (const now of [3, 8, 13])
          expect(await recorder.freshness(at(now))).toEqual(await sqlite.freshness(at(now)));
        for (const store of [sqlite, recorder, again]) store.close();
      }),
      { numRuns: 8, endOnFailure: true },
    );
  });
});
