import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: ["./src/store/schema/tables.ts", "./src/store/schema/alert-tables.ts"],
  out: "./migrations",
});
