// The tables of every dataset as exports with a name, for drizzle-kit looks at nothing else.
const { datasets } = require("../src/datasets/index.ts");
const { prefixOf, tablesOf } = require("../src/store/schema/tables.ts");

for (const dataset of datasets) {
  for (const [part, table] of Object.entries(tablesOf(dataset))) {
    if (table) exports[`${prefixOf(dataset)}_${part}`] = table;
  }
}
