/** A line to a PostgreSQL server that can be cut: packets are swallowed in both directions, and no side is told. */

import type { AddressInfo } from "node:net";
import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Bench } from "./row.ts";

export interface Wire {
  /** The URL of the database `postgres` through the line. */
  url: string;
  /** Swallows everything from now on; connections are still accepted. */
  cut(): void;
  /** Lets new connections through. The old ones never recover. */
  restore(): void;
}

/** `folder`: that of the server's socket. */
export async function startWire({ onEnd }: Pick<Bench, "onEnd">, folder: string): Promise<Wire> {
  const sockets = new Set<Socket>();
  let generation = 0;
  let isCut = false;
  const wire = createServer((client) => {
    const server = createConnection(join(folder, ".s.PGSQL.5432"));
    const own = generation;
    const isWhole = () => !isCut && own === generation;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => isWhole() && to.write(bytes));
      from.on("error", () => {});
      from.on("close", () => isWhole() && to.destroy());
    }
  });
  await new Promise<void>((resolve) => wire.listen(0, "127.0.0.1", resolve));
  onEnd(() => {
    wire.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    url: `postgres://postgres@127.0.0.1:${(wire.address() as AddressInfo).port}/postgres`,
    cut() {
      isCut = true;
    },
    restore() {
      isCut = false;
      generation += 1;
    },
  };
}
