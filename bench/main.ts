/** `npm run bench [-- NAME…] [--quick] [--json]`: what the collector costs, beside what that is compared with. */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { accounts } from "./accounts.ts";
import { bytes } from "./bytes.ts";
import { cycle } from "./cycle.ts";
import type { Comparison, Figure, Unit } from "./figure.ts";
import { lacking } from "./gaps.ts";
import { memory } from "./memory.ts";
import { readers } from "./readers.ts";
import { start } from "./start.ts";
import { year } from "./year.ts";

const figures: readonly Figure[] = [bytes, cycle, accounts, start, memory, year, readers, lacking];

interface Line extends Comparison {
  figure: string;
  ratio: number;
}

const heads = ["figure", "what", "measured", "beside", "measured", "ratio"];
/** Of the columns above; numbers stand to the right. */
const toTheRight = [2, 4, 5];

const rounded = (value: number): string =>
  value.toLocaleString("en-US", Math.abs(value) < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 });

const inUnit = (value: number, unit: Unit): string => `${rounded(value)} ${unit}`;

/** Markdown that is also aligned for a terminal. */
function markdown(lines: readonly Line[]): string {
  const cells = lines.map(({ figure, what, value, unit, beside, ratio }) => [
    figure,
    what,
    inUnit(value, unit),
    beside.what,
    inUnit(beside.value, unit),
    rounded(ratio),
  ]);
  const widths = heads.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const isRight = (column: number) => toTheRight.includes(column);
  const rule = widths.map((width, column) => (isRight(column) ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  const padded = [heads, ...cells].map((row) =>
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
  console.error(`There is no figure ${unknown.join(", ")}. There are:\n${list}`);
  process.exitCode = 64;
} else {
  const lines: Line[] = [];
  for (const figure of figures.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    const startedAt = performance.now();
    console.error(`${figure.name}: ${figure.summary} …`);
    for (const one of await figure.run({ quick: values.quick }))
      lines.push({ figure: figure.name, ...one, ratio: one.value / one.beside.value });
    console.error(`${figure.name}: done in ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }
  const machine = `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? process.arch}`;
  console.log(values.json ? JSON.stringify({ machine, lines }, null, 2) : `${machine}\n\n${markdown(lines)}`);
}
