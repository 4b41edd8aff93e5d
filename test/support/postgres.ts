/** The PostgreSQL server of one run of the tests. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { findPostgres, TemporaryServer } from "../../src/commands/run/demo/postgres-server.ts";
import { Secret } from "../../src/core/domain.ts";
import { datasets } from "../../src/datasets/index.ts";
import { Postgres } from "../../src/store/postgres/connection.ts";
import { prepareSchema } from "../../src/store/postgres/migrations.ts";

export { findPostgres };

declare module "vitest" {
  export interface ProvidedContext {
    /** The folder of the socket; null: no PostgreSQL was found. */
    postgres: string | null;
  }
}

export class Server extends TemporaryServer {
  /** Makes the next start that of a standby, which can only be read until `pg_promote()` is called. */
  becomeStandby(): void {
    writeFileSync(join(this.folder, "data", "standby.signal"), "");
  }
}

/** The database with the schema of an empty history, from which databases of tests are copied. */
export const template = "history_template";

async function createTemplate(host: string): Promise<void> {
  const url = (database: string) => new Secret(`postgres://postgres@${encodeURIComponent(host)}/${database}`);
  const server = await Postgres.open(url("postgres"), { name: "tests" });
  await server.run(`create database ${template} template template0`);
  await server.close();
  const postgres = await Postgres.open(url(template), { name: "tests" });
  await prepareSchema(postgres, datasets);
  await postgres.close();
}

/** Starts the server of the tests. The global setup of vitest. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const bin = findPostgres();
  project.provide("postgres", null);
  if (bin === null) {
    console.warn("No PostgreSQL was found: its tests are left out (apt-get install postgresql).");
    return async () => {};
  }
  const server = new Server(bin);
  await server.start();
  await createTemplate(server.folder);
  project.provide("postgres", server.folder);
  return () => server.remove();
}
