import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: ["./src/store/schema/{tables,episode-table,alert-tables}.ts", "./scripts/dataset-tables.cjs"],
  out: "./migrations",
});
