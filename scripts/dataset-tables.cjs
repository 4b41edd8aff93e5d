// Exports the tables of every dataset by name: drizzle-kit reads named exports only.
const { datasets } = require("../src/datasets/index.ts");
const { reading, recordTableOf } = require("../src/store/schema/record-layout.ts");
const { prefixOf, tablesOf } = require("../src/store/schema/tables.ts");

for (const dataset of datasets) {
  const tables = dataset.mode === "incremental" ? { record: recordTableOf(dataset) } : tablesOf(dataset);
  if (dataset.mode === "incremental") exports.reading = reading;
  for (const [part, table] of Object.entries(tables)) {
    if (table) exports[`${prefixOf(dataset)}_${part}`] = table;
  }
}
