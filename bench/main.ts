/** `npm run bench [-- NAME…] [--quick] [--json]`: measures the cost of the collector, each figure compared with a baseline. */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { accounts } from "./accounts.ts";
import { bytes } from "./bytes.ts";
import { cycle } from "./cycle.ts";
import type { Comparison, Figure, Unit } from "./figure.ts";
import { firstLedger } from "./first-ledger.ts";
import { missedSlots } from "./gaps.ts";
import { ledger } from "./ledger.ts";
import { memory } from "./memory.ts";
import { mirrored } from "./mirror.ts";
import { readers } from "./readers.ts";
import { shipped } from "./ship.ts";
import { start } from "./start.ts";
import { workers } from "./workers.ts";
import { year } from "./year.ts";

const figures: readonly Figure[] = [
  bytes,
  cycle,
  accounts,
  start,
  memory,
  year,
  readers,
  missedSlots,
  mirrored,
  shipped,
  workers,
  ledger,
  firstLedger,
];

interface Line extends Comparison {
  figure: string;
  ratio: number;
}

const header = ["figure", "what", "measured", "baseline", "measured", "ratio"];
/** The indexes of columns with numbers, which are right-aligned. */
const rightAligned = [2, 4, 5];

const rounded = (value: number): string =>
  value.toLocaleString("en-US", Math.abs(value) < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 });

const inUnit = (value: number, unit: Unit): string => `${rounded(value)} ${unit}`;

/** Returns a Markdown table that is also aligned for a terminal. */
function markdown(lines: readonly Line[]): string {
  const cells = lines.map(({ figure, what, value, unit, baseline, ratio }) => [
    figure,
    what,
    inUnit(value, unit),
    baseline.what,
    inUnit(baseline.value, unit),
    rounded(ratio),
  ]);
  const widths = header.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const isRight = (column: number) => rightAligned.includes(column);
  const rule = widths.map((width, column) => (isRight(column) ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  const padded = [header, ...cells].map((row) =>
    row.map((cell, column) => cell[isRight(column) ? "padStart" : "padEnd"](widths[column] ?? 0)),
  );
  padded.splice(1, 0, rule);
  return padded.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean" }, quick: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !figures.some((figure) => figure.name === name));

if (unknown.length > 0) {
  const list = figures.map(({ name, summary }) => `  ${name.padEnd(8)}${summary}`).join("\n");
  console.error(`unknown figure: ${unknown.join(", ")}. The figures are:\n${list}`);
  process.exitCode = 64;
} else {
  const lines: Line[] = [];
  for (const figure of figures.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    const startedAt = performance.now();
    console.error(`${figure.name}: ${figure.summary} …`);
    for (const one of await figure.run({ quick: values.quick }))
      lines.push({ figure: figure.name, ...one, ratio: one.value / one.baseline.value });
    console.error(`${figure.name}: done in ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }
  const machine = `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? process.arch}`;
  console.log(values.json ? JSON.stringify({ machine, lines }, null, 2) : `${machine}\n\n${markdown(lines)}`);
}
