/** PostgreSQL that ends, and statements that take too long: rows S21 and S22. */
import { expect } from "vitest";
import { Secret } from "../../src/core/domain.ts";
import { Postgres } from "../../src/store/postgres/connection.ts";
import { seconds } from "../support/wait.ts";
import { dropConnections, rowOfMachines, statesOf } from "./machines.ts";

rowOfMachines(
  "S21",
  "PostgreSQL killed, restarted 10 s later, across a slot; idle connections dropped",
  { inEveryRun: true, period: 30 },
  async (machines) => {
    await machines.startAll(["one", "two"]);
    const slot = machines.slotAfter(Date.now() + 4000);
    await seconds((slot - 2000 - Date.now()) / 1000);
    await machines.server.stop();
    await seconds((slot + 8000 - Date.now()) / 1000);
    await machines.server.start();
    const runs = await machines.ended(slot);
    expect([...new Set(runs.map(({ state, cause }) => `${state} (${cause})`))]).toEqual(["ok (late)"]);
    await dropConnections(machines);
    expect(statesOf(await machines.ended(slot + 30_000))).toEqual(["ok"]);
  },
);

rowOfMachines(
  "S22",
  "PostgreSQL: a lock that holds up commits; statement_timeout",
  { period: 30 },
  async (machines) => {
    await machines.startAll(["one", "two"]);
    for (const timeout of ["0", "300ms"]) {
      await machines.query(`alter role postgres set statement_timeout = '${timeout}'`);
      await dropConnections(machines);
      const slot = machines.slotAfter(Date.now() + 2000);
      await seconds((slot - 1000 - Date.now()) / 1000);
      const holder = await Postgres.open(new Secret(machines.url), { name: "holder" });
      await holder.transaction(async (connection) => {
        await connection.run("lock table run in exclusive mode");
        await seconds(5);
      });
      await holder.close();
      await machines.query("alter role postgres reset statement_timeout");
      await dropConnections(machines);
      expect(statesOf(await machines.ended(slot))).toEqual(["ok"]);
      // They were requested after the lock was released.
      const early = `select 1 from snapshots join runs using (run_id)
        where scheduled_for_ms = ${slot} and taken_at_ms < scheduled_for_ms + 3000`;
      expect(await machines.query(early)).toEqual([]);
    }
  },
);
