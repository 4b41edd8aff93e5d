// Exports the tables of PostgreSQL by name: drizzle-kit reads named exports only.
const { datasets } = require("../src/datasets/index.ts");
const { postgresTables } = require("../src/store/postgres/tables.ts");

Object.assign(exports, postgresTables(datasets));
