/**
 * Generates the data dictionary: every view and column with its type, unit, meaning and source. Columns of a dataset are described by
 * the comments in its file, those of the other views in `view-columns.ts`.
 */
import { readFileSync } from "node:fs";
import { type Column, snakeCase } from "../../src/core/columns.ts";
import type { AnyDataset } from "../../src/datasets/incremental.ts";
import { datasets } from "../../src/datasets/index.ts";
import { viewsOf } from "../../src/store/schema/views.ts";
import { codes, table } from "./markdown.ts";
import { sourcesOf } from "./sources.ts";
import { columnsOfViews, type Description, fixedViews, historyColumns, recordColumns } from "./view-columns.ts";

const types: Record<Column["kind"], string> = { text: "text", decimal: "decimal", millis: "time", flag: "0 or 1" };

/** Returns the whole section. @throws Error naming a column that has no description */
export function dictionary(): string {
  const columns = columnsOfViews();
  const described = [...viewsOf(datasets).keys()].filter((name) => !name.endsWith("_latest"));
  return described
    .map((view) => {
      const dataset = datasets.find((one) => viewOf(one) === view);
      const descriptions = dataset
        ? describeDataset(dataset)
        : new Map(Object.entries(fixedViews[view]?.columns ?? {}));
      const rows = (columns.get(view) ?? []).map((name) => rowOf(view, name, descriptions.get(name)));
      const head = ["column", "type", "unit", "meaning", ...(dataset ? ["field of the exchange"] : [])];
      return [
        `### ${view}`,
        introductionOf(view, dataset),
        table(head, dataset ? rows : rows.map((row) => row.slice(0, 4))),
      ].join("\n\n");
    })
    .join("\n\n");
}

/** Returns the view of a dataset with a row for each item of each snapshot, or for each record. */
const viewOf = ({ name, mode }: AnyDataset): string =>
  `${name.replaceAll("-", "_")}${mode === "snapshot" ? "_history" : ""}`;

function introductionOf(view: string, dataset: AnyDataset | undefined): string {
  if (!dataset) return fixedViews[view]?.summary ?? "";
  if (dataset.mode === "incremental")
    return `${dataset.summary}. ${dataset.changes ? "Each change of a record is kept; the view has the newest state." : "A record that the exchange sends with other content later has a further row."}`;
  const latest = `${dataset.name.replaceAll("-", "_")}_latest`;
  return `${dataset.summary}. The view \`${latest}\` has the same columns and only the rows of the last good snapshot.`;
}

function rowOf(view: string, name: string, description: Description | undefined): string[] {
  if (!description) throw new Error(`the column ${name} of ${view} has no description`);
  const [, meaning = "", unit = "–"] = /^(.*?)(?: Unit: ([^.]+)\.)?$/s.exec(description.text) ?? [];
  return [`\`${name}\``, description.type, unit, meaning, description.source];
}

function describeDataset(dataset: AnyDataset): Map<string, Description> {
  const comments = commentsOf(dataset);
  const sources = sourcesOf(dataset);
  const shared = dataset.mode === "snapshot" ? historyColumns : recordColumns;
  const computed = dataset.mode === "snapshot" ? [] : Object.values(dataset.computed ?? {});
  const own = Object.entries(dataset.columns).flatMap(([name, { kind }]): [string, Description][] => {
    const text = comments.get(name);
    return text ? [[snakeCase(name), { type: types[kind], text, source: sourceText(sources.get(name)) }]] : [];
  });
  const derived = computed.map(({ name, type, text }): [string, Description] => [
    name,
    { type, text, source: "derived" },
  ]);
  return new Map([...Object.entries(shared), ...own, ...derived]);
}

/** Returns the fields by API version, versions with the same field together; "derived" if no field fills the column. */
function sourceText(fields: ReadonlyMap<string, readonly string[]> = new Map()): string {
  const versionsOf = new Map<string, string[]>();
  for (const [version, names] of fields)
    versionsOf.set(codes(names), [...(versionsOf.get(codes(names)) ?? []), version]);
  const texts = [...versionsOf].map(([names, versions]) => `${versions.join(", ")}: ${names}`);
  return texts.length > 0 ? texts.join("; ") : "derived";
}

/** The columns that several datasets share. */
const sharedColumns = "src/datasets/ledger/wallet-records.ts";

/** Returns the comment before each column in the file of a dataset. */
function commentsOf({ name, mode }: AnyDataset): Map<string, string> {
  const file = readFileSync(`src/datasets/${mode === "snapshot" ? "snapshots" : "ledger"}/${name}.ts`, "utf8");
  const files = [...(file.includes("./wallet-records.ts") ? [readFileSync(sharedColumns, "utf8")] : []), file];
  const blocks = files.map((one) => /^(?:export )?const columns = \{\n([\s\S]*?)^\};/m.exec(one)?.[1] ?? "");
  const found = blocks.join("").matchAll(/\/\*\*([^/]*?(?:[^*]\/[^/]*?)*?)\*\/\s+(\w+): column\./g);
  return new Map(
    [...found].map(([, comment = "", column = ""]) => [column, comment.replaceAll(/\s*\n\s*\*?\s*/g, " ").trim()]),
  );
}
