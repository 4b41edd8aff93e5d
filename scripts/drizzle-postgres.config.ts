import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: "./scripts/postgres-tables.cjs",
  out: "./migrations/postgres",
});
