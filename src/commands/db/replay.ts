import type { DatasetName } from "../../core/domain.ts";
import { UsageError } from "../../core/errors.ts";
import { escapeControlChars } from "../../core/text.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { datasetNamed, datasetNames, datasets } from "../../datasets/index.ts";
import { loadConfig } from "../../settings/config.ts";
import { rawFile } from "../../store/responses/archive-file.ts";
import { type Corrected, correct, type First } from "../../store/responses/correct.ts";
import { keptResponses, type Replayed, type ReplayOutcome, replay } from "../../store/responses/replay.ts";
import { lockDatabase } from "../../store/sqlite/lock.ts";
import { verify } from "../../store/verify/verify.ts";
import type { Command } from "../command.ts";
import { startTerminalBar } from "../shared/progress.ts";

/** Differences that are shown one by one. */
const shown = 5;

export const dbReplay: Command = {
  examples: ["db replay --dataset positions", "db replay --dataset positions --apply"],
  details: [
    `Datasets: ${datasetNames.join(", ")}.`,
    "With --apply, rows that would differ are recorded again from the raw responses, after a backup and while no daemon uses the database.",
    "A scope is corrected as a whole or, where a response is missing, not at all; the chain keeps the digests of what was stored.",
  ],
  options: [
    { flags: "--dataset <name>", summary: "the dataset (required)" },
    { flags: "--apply", summary: "correct the rows; exit code 1 where some have to stay as they are" },
  ],
  async run({ options, env, print }) {
    const dataset = datasetNamed(datasetOf(options.dataset));
    const { databasePath } = loadConfig(env, { credentials: false });
    const lock = options.apply === true ? lockDatabase(databasePath) : null;
    try {
      return await replayed(databasePath, dataset, lock !== null, print);
    } finally {
      lock?.release();
    }
  },
};

/** Shows what would be different and, if it is to be applied, corrects it. Returns the exit code. */
async function replayed(
  databasePath: string,
  dataset: Dataset,
  isApplied: boolean,
  print: (line: string) => void,
): Promise<number> {
  const kept = keptResponses(databasePath, dataset);
  if (!kept) {
    print(`no answers of ${dataset.name} are kept in ${rawFile(databasePath)}`);
    return 0;
  }
  const found = createSummary();
  const bar = startTerminalBar("deriving again", "snapshots");
  try {
    let done = 0;
    for (const one of replay(databasePath, dataset, kept.first)) {
      found.add(one);
      done += 1;
      bar.update(done, kept.snapshots);
    }
  } finally {
    bar.stop();
  }
  const [from, to] = [kept.first, kept.last].map((slot) => new Date(slot).toISOString());
  print(`${dataset.name}: ${kept.snapshots} snapshots since ${from}; the last answer that is kept is of ${to}`);
  for (const line of found.lines()) print(line);
  const firsts = isApplied ? found.firsts() : [];
  if (firsts.length === 0) {
    print("nothing was changed");
    return 0;
  }
  const [problem] = (await verify(databasePath, datasets)).problems;
  if (problem !== undefined) {
    print(`nothing was changed, for the database is not what was recorded (see db verify): ${problem}`);
    return 1;
  }
  const corrected = await correct(databasePath, dataset, firsts, { now: Date.now() });
  for (const line of inWords(corrected)) print(line);
  return corrected.scopes.some(({ refusal }) => refusal !== null) ? 1 : 0;
}

function inWords({ scopes, backup }: Corrected): string[] {
  const lines = scopes.map(({ first: { account, productType, slot }, snapshots, refusal }) => {
    const what =
      refusal === null ? `${snapshots} snapshots corrected` : `not corrected: ${escapeControlChars(refusal)}`;
    return `${`${account} ${productType}`.trim()} since ${new Date(slot).toISOString()}: ${what}`;
  });
  return [...lines, backup === null ? "nothing was changed" : `the database as it was before is kept in ${backup}`];
}

function datasetOf(name: unknown): DatasetName {
  const found = datasetNames.find((known) => known === name);
  if (found === undefined) throw new UsageError(`say of which dataset: --dataset ${datasetNames.join(", ")}`);
  return found;
}

const sentences: Record<ReplayOutcome, string> = {
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
  const counts = new Map<ReplayOutcome, number>();
  const fields = new Map<string, number>();
  const first: string[] = [];
  const firsts = new Map<number, First>();
  const count = <Key>(counter: Map<Key, number>, key: Key) => counter.set(key, (counter.get(key) ?? 0) + 1);
  return {
    add(one: Replayed): void {
      const { account, productType, slot, verdict, differences, problem } = one;
      count(counts, verdict);
      if (verdict === "different" && !firsts.has(one.scopeId)) firsts.set(one.scopeId, one);
      for (const { field } of differences) count(fields, field);
      if (first.length >= shown) return;
      const where = [new Date(slot).toISOString(), account, productType].filter((word) => word !== "").join(" ");
      const says = differences.map(
        ({ item, field, stored, reparsed }) =>
          `${[item, field].filter((word) => word !== "").join(" ")}: is ${JSON.stringify(stored)}, would be ${JSON.stringify(reparsed)}`,
      );
      for (const text of [...says, ...(problem === null ? [] : [problem])].slice(0, shown - first.length))
        first.push(escapeControlChars(`  ${where} ${text}`));
    },
    /** Of each scope the first snapshot that would be different. */
    firsts: (): First[] => [...firsts.values()],
    lines(): string[] {
      const verdicts = (Object.keys(sentences) as ReplayOutcome[]).filter((verdict) => counts.has(verdict));
      const byField = [...fields].sort(([, one], [, other]) => other - one).map(([field, n]) => `${field} ${n}`);
      return [
        ...verdicts.map((verdict) => `${counts.get(verdict)} ${sentences[verdict]}`),
        ...(byField.length > 0 ? [`differences by field: ${byField.join(", ")}`] : []),
        ...(first.length > 0 ? ["the first:", ...first] : []),
      ];
    },
  };
}
