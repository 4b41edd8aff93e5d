/** Columns aligned for a terminal. What comes from outside is made visible, so that a name cannot drive the terminal. */
import { visible } from "../../core/text.ts";
import { displayWidth, padToWidth } from "./width.ts";

export function formatTable(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [heads, ...rows].map((row) => row.map(visible));
  const widths = heads.map((_, column) => Math.max(...cells.map((row) => displayWidth(row[column] ?? ""))));
  return cells.map((row) =>
    row
      .map((cell, column) => padToWidth(cell, widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
