/** Generates the reference of the tables of the HTTP API, from their declarations. */
import type { Kind } from "../../src/web/data/table.ts";
import { tables } from "../../src/web/data/tables.ts";
import { sentence, table } from "./markdown.ts";

const types: Record<Kind, string> = {
  text: "text",
  amount: "amount",
  change: "amount",
  profit: "amount",
  price: "amount",
  share: "share",
  instant: "time",
  count: "number",
  duration: "number",
};

/** Returns one section for each table: its path, what a row is, and its columns. */
export const apiTables = (): string =>
  tables
    .map(({ name, summary, needs, columns }) => {
      const parameters = (needs ? ["account", ...needs] : []).map((one) => `${one}=`).join("&");
      const head = `\`GET /api/${name}${parameters ? `?${parameters}` : ""}\`, \`/api/${name}.csv\`: ${sentence(summary)}`;
      const rows = columns.map((column) => [`\`${column.name}\``, types[column.kind], column.label]);
      return [`### ${name}`, head, table(["column", "type", "label on the pages"], rows)].join("\n\n");
    })
    .join("\n\n");
