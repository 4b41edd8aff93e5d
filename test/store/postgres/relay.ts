/** A relay in front of the PostgreSQL server of the tests, which cuts connections. */
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { inject, onTestFinished } from "vitest";

/** A relay on loopback, until the test is over. */
export interface Relay {
  port: number;
  /** The number of messages of clients before the one at which a connection is cut. */
  left: number;
  /** Whether the server gets that message. */
  isDelivered: boolean;
}

export async function startRelay(): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(join(inject("postgres") ?? "", ".s.PGSQL.5432"));
    for (const socket of [client, target]) sockets.add(socket.on("error", () => {}));
    target.pipe(client);
    target.on("close", () => client.destroy());
    client.on("close", () => target.end());
    client.on("data", (data) => {
      relay.left -= 1;
      if (relay.left >= 0) return void target.write(data);
      if (relay.isDelivered) target.end(data);
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const relay: Relay = { port: (server.address() as { port: number }).port, left: 0, isDelivered: false };
  return relay;
}
