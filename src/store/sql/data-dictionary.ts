/** Reads the views and their columns from the data dictionary, which is a part of the program's documentation. */
import { readFileSync } from "node:fs";
import { ConfigError } from "../../core/errors.ts";

const dictionary = new URL("../../../docs/reference/data-dictionary.md", import.meta.url);

/** A view: what its rows are, and its columns with type, unit and meaning. */
export interface DescribedView {
  name: string;
  summary: string;
  columns: string[][];
}

export const columnHeaders = ["column", "type", "unit", "meaning"] as const;

/** Returns the text without the marks of its source: code, links and escapes. */
const plain = (text: string): string =>
  text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/(?<!\\)`/g, "")
    .replace(/\\([|`\\])/g, "$1");

/** Returns the views. Those of the last good snapshot (`…_latest`) have the columns of those of the history. @throws ConfigError */
export function describedViews(): DescribedView[] {
  const [, ...sections] = textOf().split(/^### /m);
  return sections.map((section) => {
    const [name = "", ...lines] = section.split("\n");
    const begin = lines.findIndex((line) => line.startsWith("|"));
    const rows = lines.filter((line) => line.startsWith("| `"));
    return {
      name,
      summary: plain(lines.slice(0, begin).join(" ").trim()),
      columns: rows.map((row) => {
        const cells = row.split(/(?<!\\)\|/).map((cell) => plain(cell.trim()));
        return cells.slice(1, 1 + columnHeaders.length);
      }),
    };
  });
}

function textOf(): string {
  try {
    return readFileSync(dictionary, "utf8");
  } catch {
    throw new ConfigError([
      "the documentation is not installed with this program; see docs/reference/data-dictionary.md",
    ]);
  }
}
