import { loadConfig } from "../config.ts";
import { datasetNamed } from "../datasets/index.ts";
import { type DatasetName, datasetNames } from "../domain.ts";
import { UsageError } from "../errors.ts";
import { openRawReader, rawFile } from "../store/raw-file.ts";
import { countSnapshots, keptSlots, type Replayed, replay, type Verdict } from "../store/replay.ts";
import { openReadOnly } from "../store/sqlite.ts";
import { visible } from "../text.ts";
import type { Command } from "./command.ts";
import { terminalBar } from "./progress.ts";

/** Differences that are shown one by one. */
const shown = 5;

export const dbReplay: Command = {
  name: "db replay",
  summary: "derive the stored rows again from the answers as they came, and say what would be different",
  example: "db replay --dataset positions",
  details: [
    `Datasets: ${datasetNames.join(", ")}.`,
    "Nothing is changed: the chain proves what was stored when the answers came, and rows derived later are not that.",
  ],
  options: [
    { flags: "--dataset <name>", summary: "the dataset (required)" },
    { flags: "--apply", summary: "refused: rows that were stored are never changed" },
  ],
  async run({ options, env, out }) {
    if (options.apply === true) throw new UsageError(refusal);
    const dataset = datasetNamed(datasetOf(options.dataset));
    const { databasePath } = loadConfig(env, { credentials: false });
    const sqlite = openReadOnly(databasePath);
    const path = rawFile(databasePath);
    const raw = openRawReader(path);
    const bar = terminalBar("deriving again", "snapshots");
    try {
      const kept = raw && keptSlots(raw, dataset);
      if (!raw || !kept) {
        out(`no answers of ${dataset.name} are kept in ${path}`);
        return 0;
      }
      const total = countSnapshots(sqlite, dataset, kept.first);
      const found = createSummary();
      let done = 0;
      for (const one of replay(sqlite, raw, dataset, kept.first)) {
        found.add(one);
        done += 1;
        bar.update(done, total);
      }
      bar.stop();
      const [from, to] = [kept.first, kept.last].map((slot) => new Date(slot).toISOString());
      out(`${dataset.name}: ${total} snapshots since ${from}; the last answer that is kept is of ${to}`);
      for (const line of found.lines()) out(line);
      return 0;
    } finally {
      bar.stop();
      raw?.close();
      sqlite.close();
    }
  },
};

const refusal =
  "rows that were stored are not changed: the chain proves that they are what was made of the answers when these came. " +
  "Without --apply it is shown what would be different";

function datasetOf(name: unknown): DatasetName {
  const found = datasetNames.find((known) => known === name);
  if (found === undefined) throw new UsageError(`say of which dataset: --dataset ${datasetNames.join(", ")}`);
  return found;
}

const sentences: Record<Verdict, string> = {
  same: "would be the same",
  different: "would be different",
  refused: "are good, and their answers would be refused",
  readable: "failed, and their answers could be read",
  unanswered: "failed, and not because of what the last answer says",
  computed: "were computed from other datasets too, and cannot be derived from their answers alone",
  "without answer": "have no answer that is kept",
};

/** Counts while it goes through them; of what differs it keeps the first. */
function createSummary() {
  const counts = new Map<Verdict, number>();
  const fields = new Map<string, number>();
  const first: string[] = [];
  const count = <Key>(counter: Map<Key, number>, key: Key) => counter.set(key, (counter.get(key) ?? 0) + 1);
  return {
    add({ account, productType, slot, verdict, differences, problem }: Replayed): void {
      count(counts, verdict);
      for (const { field } of differences) count(fields, field);
      if (first.length >= shown) return;
      const where = [new Date(slot).toISOString(), account, productType].filter((word) => word !== "").join(" ");
      const says = differences.map(
        ({ item, field, stored, derived }) =>
          `${[item, field].filter((word) => word !== "").join(" ")}: is ${JSON.stringify(stored)}, would be ${JSON.stringify(derived)}`,
      );
      for (const text of [...says, ...(problem === null ? [] : [problem])].slice(0, shown - first.length))
        first.push(visible(`  ${where} ${text}`));
    },
    lines(): string[] {
      const verdicts = (Object.keys(sentences) as Verdict[]).filter((verdict) => counts.has(verdict));
      const byField = [...fields].sort(([, one], [, other]) => other - one).map(([field, n]) => `${field} ${n}`);
      return [
        ...verdicts.map((verdict) => `${counts.get(verdict)} ${sentences[verdict]}`),
        ...(byField.length > 0 ? [`differences by field: ${byField.join(", ")}`] : []),
        ...(first.length > 0 ? ["the first:", ...first] : []),
        "nothing was changed",
      ];
    },
  };
}
