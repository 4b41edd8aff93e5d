/** A PostgreSQL server whose clock is that of a simulation. */
import { Secret } from "../../../src/core/domain.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { Postgres } from "../../../src/store/postgres/connection.ts";
import { prepareSchema } from "../../../src/store/postgres/migrations.ts";
import { Server } from "../../support/postgres.ts";

export class SimulatedDatabase {
  readonly url: string;
  readonly #server: Server;
  readonly #postgres: Postgres;
  #now = 0;
  #isDown = false;

  static async start(bin: string, now: number): Promise<SimulatedDatabase> {
    const server = new Server(bin);
    await server.start();
    const url = `postgres://postgres@${encodeURIComponent(server.folder)}/postgres`;
    const postgres = await Postgres.open(new Secret(url), { name: "simulation" });
    await prepareSchema(postgres, datasets);
    await postgres.run("create table public.simulated (now bigint not null)");
    await postgres.run(`insert into public.simulated values (${now})`);
    await postgres.run(
      "create or replace function now_ms() returns bigint language sql volatile as 'select now from public.simulated'",
    );
    return new SimulatedDatabase(server, postgres, url);
  }

  private constructor(server: Server, postgres: Postgres, url: string) {
    this.#server = server;
    this.#postgres = postgres;
    this.url = url;
  }

  get postgres(): Postgres {
    return this.#postgres;
  }

  /** Sets its clock; a server that is down has it when it is back. */
  async setClock(now: number): Promise<void> {
    this.#now = now;
    if (!this.#isDown) await this.#postgres.run(`update public.simulated set now = ${now}`);
  }

  /** Ends the server as a power failure does. */
  async stop(): Promise<void> {
    this.#isDown = true;
    await this.#server.stop();
  }

  async restart(): Promise<void> {
    await this.#server.start();
    this.#isDown = false;
    // The first statement after a restart finds connections that are gone.
    await this.setClock(this.#now).catch(() => this.setClock(this.#now));
  }

  /** Returns which collector runs a dataset of an account at present; null: none. */
  async workerOf(account: string, dataset: string): Promise<string | null> {
    const [found] = await this.#postgres.query<{ worker: string }>(
      `select worker from runs where state = 'running' and account = '${account}' and dataset = '${dataset}'`,
    );
    return found?.worker ?? null;
  }

  /** Returns the number of runs that have not ended. */
  async running(): Promise<number> {
    const [found] = await this.#postgres.query<{ n: number }>("select count(*) as n from run where state = 'running'");
    return found?.n ?? 0;
  }

  async close(): Promise<void> {
    await this.#postgres.close();
    await this.#server.remove();
  }
}
