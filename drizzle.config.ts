import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: ["./src/store/tables.ts", "./src/store/alert-tables.ts"],
  out: "./migrations",
});
