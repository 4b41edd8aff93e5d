import { UsageError } from "../../core/errors.ts";
import { escapeControlChars } from "../../core/text.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import { datasetNamed, datasetNames, datasets } from "../../datasets/index.ts";
import { loadConfig } from "../../settings/config.ts";
import { rawFile } from "../../store/responses/archive-file.ts";
import type { Replayed, ReplayOutcome } from "../../store/responses/comparison.ts";
import { type Corrected, correct } from "../../store/responses/correct.ts";
import type { First } from "../../store/responses/correction.ts";
import { keptResponses, replay } from "../../store/responses/replay.ts";
import { lockDatabase } from "../../store/sqlite/lock.ts";
import { verify } from "../../store/verify/verify.ts";
import type { Command } from "../command.ts";
import { parseDataset } from "../shared/option.ts";
import { startTerminalBar } from "../shared/progress.ts";

/** The number of differences that are listed. */
const maxListed = 5;

export const dbReplay: Command = {
  examples: [
    "db replay --dataset positions",
    "db replay --dataset spot-assets",
    "db replay --dataset positions --apply",
  ],
  details: [
    `Datasets: ${datasetNames.join(", ")}.`,
    "With --apply, rows that differ are recorded again from the raw responses, after a backup and while no daemon is running.",
    "A scope is corrected as a whole or, if a response is missing, not at all; the chain keeps the digests of the previous rows.",
  ],
  options: [
    { flags: "--dataset <name>", summary: "the dataset (required)" },
    { flags: "--apply", summary: "correct the rows; exit code 1 if some cannot be corrected" },
  ],
  onPostgres: {
    instead: "Raw responses are kept next to an SQLite history: run it where that is recorded, before it is copied.",
  },
  async run({ options, env, print }) {
    if (options.dataset === undefined) throw new UsageError(`--dataset is required: ${datasetNames.join(", ")}`);
    const dataset = datasetNamed(parseDataset(options.dataset));
    const { databasePath } = loadConfig(env, { credentials: false });
    const lock = options.apply === true ? lockDatabase(databasePath) : null;
    try {
      return await compareAndCorrect(databasePath, dataset, lock !== null, print);
    } finally {
      lock?.release();
    }
  },
};

/** Prints the differences and, with `isApplied`, corrects them. Resolves with the exit code. */
async function compareAndCorrect(
  databasePath: string,
  dataset: AnyDataset,
  isApplied: boolean,
  print: (line: string) => void,
): Promise<number> {
  const responses = keptResponses(databasePath, dataset);
  if (!responses) {
    print(`no raw responses of ${dataset.name} in ${rawFile(databasePath)}`);
    return 0;
  }
  const summary = createSummary();
  const bar = startTerminalBar("parsing again", "snapshots");
  try {
    let done = 0;
    for (const one of replay(databasePath, dataset, responses.first)) {
      summary.add(one);
      done += 1;
      bar.update(done, responses.snapshots);
    }
  } finally {
    bar.stop();
  }
  const [from, to] = [responses.first, responses.last].map((slot) => new Date(slot).toISOString());
  print(`${dataset.name}: ${responses.snapshots} snapshots since ${from}; newest raw response: ${to}`);
  for (const line of summary.lines()) print(line);
  const firsts = isApplied ? summary.firsts() : [];
  if (firsts.length === 0) {
    print(isApplied ? "nothing to correct" : "dry run: nothing was written");
    return 0;
  }
  const [problem] = (await verify(databasePath, datasets)).problems;
  if (problem !== undefined) {
    print(`nothing was written: the database was altered (see db verify): ${problem}`);
    return 1;
  }
  const corrected = await correct(databasePath, dataset, firsts, { now: Date.now() });
  for (const line of correctionLines(corrected)) print(line);
  return corrected.scopes.some(({ refusal }) => refusal !== null) ? 1 : 0;
}

function correctionLines({ scopes, backup }: Corrected): string[] {
  const lines = scopes.map(({ first: { account, productType, slot }, snapshots, refusal }) => {
    const what =
      refusal === null ? `${snapshots} snapshots corrected` : `not corrected: ${escapeControlChars(refusal)}`;
    return `${`${account} ${productType}`.trim()} since ${new Date(slot).toISOString()}: ${what}`;
  });
  return [
    ...lines,
    backup === null ? "nothing was written" : `backup of the database before the correction: ${backup}`,
  ];
}

const outcomeTexts: Record<ReplayOutcome, string> = {
  same: "unchanged",
  different: "would change",
  rejected: "are stored, but their responses would be rejected now",
  readable: "failed, but their responses could be parsed now",
  "other failure": "failed for a reason other than the last response",
  computed: "were computed from several datasets and cannot be parsed again",
  "no response": "have no raw response",
};

/** Counts outcomes and differing fields, and keeps the first differences. */
function createSummary() {
  const counts = new Map<ReplayOutcome, number>();
  const fields = new Map<string, number>();
  const first: string[] = [];
  const firsts = new Map<number, First>();
  const count = <Key>(counter: Map<Key, number>, key: Key) => counter.set(key, (counter.get(key) ?? 0) + 1);
  return {
    add(one: Replayed): void {
      const { account, productType, slot, outcome, differences, problem } = one;
      count(counts, outcome);
      if (outcome === "different" && !firsts.has(one.scopeId)) firsts.set(one.scopeId, one);
      for (const { field } of differences) count(fields, field);
      if (first.length >= maxListed) return;
      const where = [new Date(slot).toISOString(), account, productType].filter((word) => word !== "").join(" ");
      const texts = differences.map(
        ({ item, field, stored, reparsed }) =>
          `${[item, field].filter((word) => word !== "").join(" ")}: is ${JSON.stringify(stored)}, would be ${JSON.stringify(reparsed)}`,
      );
      for (const text of [...texts, ...(problem === null ? [] : [problem])].slice(0, maxListed - first.length))
        first.push(escapeControlChars(`  ${where} ${text}`));
    },
    /** Returns the first snapshot of each scope that would change. */
    firsts: (): First[] => [...firsts.values()],
    lines(): string[] {
      const outcomes = (Object.keys(outcomeTexts) as ReplayOutcome[]).filter((outcome) => counts.has(outcome));
      const byField = [...fields].sort(([, one], [, other]) => other - one).map(([field, n]) => `${field} ${n}`);
      return [
        ...outcomes.map((outcome) => `${counts.get(outcome)} ${outcomeTexts[outcome]}`),
        ...(byField.length > 0 ? [`differences by field: ${byField.join(", ")}`] : []),
        ...(first.length > 0 ? ["first differences:", ...first] : []),
      ];
    },
  };
}
