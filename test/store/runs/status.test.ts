import { expect, it } from "vitest";
import { runToEnd } from "../../../src/core/async/cooperate.ts";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { openHistory } from "../../../src/store/read/open-history.ts";
import { collect, good, start } from "../kit.ts";
import { open, temporaryPath } from "../temporary.ts";

const [day, hour, minute] = [86_400_000, 3_600_000, 60_000];
const positions = snapshotDatasetNamed("positions");

it("counts thousands of slots without a run one by one, as the coverage report does", async () => {
  const path = temporaryPath();
  const store = await open(path);
  await store.setSchedule("main", "positions", "* * 9 * * *", start);
  await collect(store, positions, start + 9 * hour, { snapshots: [good([], start + 9 * hour)] });
  const now = start + 2 * day + 9 * hour + 30 * minute + 500;
  const history = openHistory(path);
  // Half an hour of yesterday without its first slot, and half an hour of today; the slot of the current second may still be run.
  expect(history.status(now)[0]?.coverage).toEqual({ day: 0, week: 1 / 9000, month: 1 / 9000 });
  const count = (days: number) => runToEnd(history.countSlots(1, { from: now - days * day + 1, to: now + 1 }, now));
  expect([count(1), count(7)]).toMatchObject([
    { due: 3599, ok: 0 },
    { due: 9000, ok: 1 },
  ]);
  history.close();
});
