/** Databases on the PostgreSQL server of the tests. */
import { describe, inject, onTestFinished } from "vitest";
import { Secret } from "../../../src/core/domain.ts";
import { Postgres, type PostgresOptions } from "../../../src/store/postgres/connection.ts";
import { template } from "../../support/postgres.ts";

const folder = inject("postgres");

/** As `describe`; left out where there is no PostgreSQL. */
export const describePostgres = describe.skipIf(folder === null);

/** Returns the URL of a database on the server of the tests. */
export const urlOf = (database: string, user = "postgres"): string =>
  `postgres://${user}@${encodeURIComponent(folder ?? "")}/${database}`;

let created = 0;

/** Creates an empty database, which is dropped when the test is over. Returns its URL. */
export async function newDatabase(from = "template0"): Promise<string> {
  created += 1;
  const name = `test_${process.pid}_${created}`;
  const server = await Postgres.open(new Secret(urlOf("postgres")), { name: "tests" });
  await server.run(`create database ${name} template ${from}`);
  onTestFinished(async () => {
    await server.run(`drop database ${name} with (force)`);
    await server.close();
  });
  return urlOf(name);
}

/** Creates a database with the schema of an empty history, which is dropped when the test is over. Returns its URL. */
export const newHistory = (): Promise<string> => newDatabase(template);

/** Opens a database, until the test is over. */
export async function connected(url: string, options: Partial<PostgresOptions> = {}): Promise<Postgres> {
  const postgres = await Postgres.open(new Secret(url), { name: "tests", ...options });
  onTestFinished(() => postgres.close());
  return postgres;
}
