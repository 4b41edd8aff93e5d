/** Measures the queries of the data health page on a history with a million missed slots, compared with a thousand. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { openHistory } from "../src/store/read/open-history.ts";
import { collection } from "../src/web/data/health/collection.ts";
import { gaps } from "../src/web/data/health/gaps.ts";
import { allRows, type DataTable, type View } from "../src/web/data/table.ts";
import { minute, start, storeAt } from "../test/store/kit.ts";
import { type Comparison, compare, type Figure, median, timed } from "./figure.ts";
import { newFolder } from "./folder.ts";

const slots = { few: 1000, whole: 1_000_000, quick: 100_000 };
const times = 15;
const gapsShown = 51;

export const missedSlots: Figure = {
  name: "gaps",
  summary: "the gaps and the state of a dataset with a million missed slots (--quick: a hundred thousand)",
  async run({ quick }) {
    const folder = newFolder();
    const max = quick ? slots.quick : slots.whole;
    try {
      return [
        ...(await compared(folder, "of one cause", max, () => "asleep")),
        ...(await compared(folder, "of two causes in turn", max, (n) => (n % 2 ? "asleep" : "late"))),
      ];
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function compared(
  folder: string,
  what: string,
  max: number,
  causeOf: (n: number) => string,
): Promise<Comparison[]> {
  const [many, few] = [await measure(folder, max, causeOf), await measure(folder, slots.few, causeOf)];
  return [
    compare(`gaps shown, ${max} slots missed ${what}`, many.gaps, "ms", `${slots.few} missed`, few.gaps),
    compare(`state of the dataset, ${max} slots missed ${what}`, many.state, "ms", `${slots.few} missed`, few.state),
  ];
}

/** Returns the milliseconds of each query on a database with `missing` missed slots. */
async function measure(folder: string, missing: number, causeOf: (n: number) => string) {
  const path = join(folder, `${missing}-${causeOf(0)}-${causeOf(1)}.db`);
  const store = await storeAt(path);
  await store.setSchedule("main", "spot-assets", "* * * * *", start);
  for (let first = 1; first <= missing; first += 10_000) {
    const count = Math.min(10_000, missing + 1 - first);
    const some = Array.from({ length: count }, (_, n) => first + n);
    await store.closeSlots(
      "main",
      "spot-assets",
      some.map((n) => ({ slot: start + n * minute, state: "missed" as const, cause: causeOf(n) })),
    );
  }
  store.close();
  const history = openHistory(path);
  const view = {
    history,
    account: null,
    at: start + missing * minute,
    isNow: true,
    now: start + missing * minute,
    daemon: { daemon: "ok" } as const,
    isExact: false,
    timezone: "UTC",
    params: {},
  };
  try {
    return { gaps: timeOf(view, gaps), state: timeOf(view, collection) };
  } finally {
    history.close();
  }
}

function timeOf(view: View, table: DataTable): number {
  return median(Array.from({ length: times }, () => timed(() => [...allRows(table, view, gapsShown)])));
}
