/** Row E19: a host without a valid certificate. */
import { writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { expect } from "vitest";
import { selfSigned } from "../bitget/self-signed.ts";
import type { Bench } from "./row.ts";
import { row } from "./row.ts";
import { nextRun } from "./runs.ts";

const certificates = {
  unknown: selfSigned(),
  "another host's": selfSigned({ host: "exchange.example" }),
  expired: selfSigned({ year: 2021 }),
  good: selfSigned(),
};

type Door = keyof typeof certificates | "no TLS at all";

row(
  "E19",
  "TLS certificate: self-signed, of another host, expired; no TLS",
  { inEveryRun: true, timeoutSeconds: 40 },
  async (bench) => {
    const front = await startFront(bench);
    const authorities = join(bench.folder, "authorities.pem");
    const { unknown: _unknown, ...known } = certificates;
    writeFileSync(
      authorities,
      Object.values(known)
        .map(({ cert }) => cert)
        .join(""),
    );

    const daemon = await bench.start({
      BITGET_BASE_URL: `https://localhost:${front.port}`,
      NODE_EXTRA_CA_CERTS: authorities,
      BITGET_API_VERSION: "v2",
      BITGET_ALLOW_WRITE_KEYS: "true",
      SCHEDULE_POSITIONS: "",
    });
    // Nothing is due before the exchange has confirmed the clock.
    await nextRun(daemon, "spot-assets", "ok", 0);
    const { requests: before } = bench.exchange.counts;
    const problems: Record<string, unknown> = {};
    for (const door of ["unknown", "another host's", "expired", "no TLS at all"] as const) {
      front.change(door);
      const connectionsBefore = front.connections;
      const { state, requests, retries, failed } = await nextRun(daemon, "spot-assets");
      const [, code] = /^tls .*\((\w+)\)/.exec(failed?.[0] ?? "") ?? [];
      problems[door] = { state, requests, retries, connections: front.connections - connectionsBefore, code };
    }
    front.change("good");
    const good = await nextRun(daemon, "spot-assets");

    const once = { state: "failed", requests: 1, retries: 0, connections: 1 };
    expect(problems).toEqual({
      unknown: { ...once, code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
      "another host's": { ...once, code: "ERR_TLS_CERT_ALTNAME_INVALID" },
      expired: { ...once, code: "CERT_HAS_EXPIRED" },
      "no TLS at all": { ...once, code: expect.stringMatching(/EPROTO|ERR_SSL/) },
    });
    expect(good).toMatchObject({ state: "ok", requests: 1 });
    expect(bench.exchange.counts).toMatchObject({ requests: before + 1, badSignatures: 0 });
    // Only the TLS handshake, nothing of a request.
    expect(front.inClear.subarray(0, 2).toString("hex")).toBe("1603");
    expect(front.inClear.toString("latin1")).not.toMatch(/GET|ACCESS/i);
  },
);

interface Front {
  port: number;
  /** Ends every connection and uses this certificate for new ones. */
  change(door: Door): void;
  connections: number;
  /** Bytes received without TLS. */
  inClear: Buffer;
}

/** Starts a TLS front for the exchange whose certificate can change. */
async function startFront({ exchange, onEnd }: Bench): Promise<Front> {
  const inside = Number(new URL(exchange.url).port);
  const pass = (socket: Socket) => {
    const far = connect(inside, "127.0.0.1");
    socket.on("error", () => {}).on("close", () => far.destroy());
    far.on("error", () => {}).on("close", () => socket.destroy());
    socket.pipe(far).pipe(socket);
  };
  const sockets = new Set<Socket>();
  let door: Door = "good";
  const doors = new Map(
    Object.entries(certificates).map(([door, { key, cert }]) => [door, createTlsServer({ key, cert }, pass)]),
  );
  for (const door of doors.values()) door.on("tlsClientError", () => {});
  const server = createServer((socket) => {
    sockets.add(socket);
    front.connections += 1;
    const server = doors.get(door);
    if (server) {
      server.emit("connection", socket);
      return;
    }
    socket.on("data", (bytes) => {
      front.inClear = Buffer.concat([front.inClear, bytes]);
    });
    pass(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const front: Front = {
    port,
    change(next) {
      door = next;
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    connections: 0,
    inClear: Buffer.alloc(0),
  };
  return front;
}
