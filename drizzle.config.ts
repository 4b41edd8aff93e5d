import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: ["./src/store/schema/{tables,alert-tables,derived/*}.ts", "./scripts/dataset-tables.cjs"],
  out: "./migrations",
});
