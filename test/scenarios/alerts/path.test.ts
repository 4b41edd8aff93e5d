import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "../../alerts/receiver.ts";
import { startExchange } from "../../support/exchange.ts";
import { temporaryFolder } from "../../support/files.ts";
import { launch } from "../../support/program.ts";
import { classic, credentials, everyDataset } from "../../support/settings.ts";
import { until } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";
import { notificationOf, notificationsIn, path, positionFault, shortPath } from "./script.ts";

const start = Date.parse("2026-11-01T00:00:00Z");
const minute = 60_000;

const settingsFor = (url: string) => ({
  BITGET_PRODUCT_TYPES: "umcbl",
  ALERT_WEBHOOK_URL: url,
  ALERT_LIQUIDATION_DISTANCE: "10%",
});

async function settle(world: World): Promise<void> {
  world.app.alerts.tick();
  await world.app.alerts.idle();
}

/** Ends like a crash: nothing more is evaluated or sent. */
async function crash(world: World): Promise<void> {
  world.app.close();
  await world.restart();
}

/** A notification that was sent but could not be marked as sent is repeated under its id. */
const onceEach = ({ received }: Receiver) => {
  const ids = received.map(({ id }) => id);
  return received.filter(({ id }, n) => ids.indexOf(id) === n);
};

async function follow(after: (world: World, step: number) => Promise<void>): Promise<Receiver> {
  const receiver = await startReceiver();
  const world = await createWorld("2026-11-01T00:00:00Z", {
    SCHEDULE_POSITIONS: "* * * * *",
    ...settingsFor(receiver.url),
  });
  await settle(world);
  for (const [n, step] of path.entries()) {
    world.exchange.clearFaults();
    world.exchange.injectFault(positionFault(step));
    await world.at(start + (n + 1) * minute);
    await after(world, n);
  }
  await settle(world);
  return receiver;
}

describe("a scripted price path", () => {
  it.each<[string, (world: World, step: number) => Promise<void>]>([
    ["keeps running", settle],
    ["restarts at every step", (world) => world.restart()],
    [
      "evaluates at every third step, several runs at once",
      async (world, step) => {
        if (step % 3 === 2) await world.restart();
      },
    ],
  ])("gives exactly these notifications from a daemon that %s", async (_, after) => {
    expect((await follow(after)).received.map(notificationOf)).toEqual(notificationsIn(path));
  });

  it.each<[string, (world: World, step: number) => Promise<void>]>([
    ["after each commit, before the evaluation", crash],
    [
      "after each evaluation",
      async (world) => {
        await settle(world);
        await crash(world);
      },
    ],
    [
      "twice between any two steps",
      async (world) => {
        await crash(world);
        world.app.alerts.tick();
        await crash(world);
      },
    ],
  ])("gives the same notifications from a daemon that crashes %s", async (_, after) => {
    expect(onceEach(await follow(after)).map(notificationOf)).toEqual(notificationsIn(path));
  });

  it("gives exactly the same notifications from the real daemon, killed at every step", async () => {
    const receiver = await startReceiver();
    const exchange = await startExchange({ accounts: [classic] });
    const folder = temporaryFolder();
    const env = {
      ...credentials(classic),
      ...everyDataset(""),
      ...settingsFor(receiver.url),
      SCHEDULE_POSITIONS: "* * * * * *",
      BITGET_BASE_URL: exchange.url,
      DATABASE_URL: `file:${join(folder, "collector.db")}`,
      SCHEDULE_REPORTS: "",
      HTTP_PORT: "",
      // Periods of seconds would trigger the stale alert, which is not under test.
      ALERT_STALE: "false",
    };
    try {
      for (const step of shortPath) {
        exchange.clearFaults();
        exchange.injectFault(positionFault(step));
        const before = exchange.record.length;
        const daemon = launch(["start"], folder, env);
        // The log line follows the commit at once; what is evaluated or sent by then varies.
        await daemon.printed("main positions ok");
        expect(exchange.record.length).toBeGreaterThan(before);
        daemon.child.kill("SIGKILL");
        await daemon.finished;
      }
      const last = launch(["start"], folder, env);
      await last.printed("main positions ok");
      await until(() => unsent(join(folder, "collector.db")) === 0);
      last.child.kill("SIGTERM");
      expect((await last.finished).code).toBe(0);
    } finally {
      await exchange.close();
    }
    expect(onceEach(receiver).map(notificationOf)).toEqual(notificationsIn(shortPath));
  });
});

/** Returns how many notifications of the path are still to be sent. */
function unsent(file: string): number {
  const database = new Database(file, { readonly: true });
  try {
    const sent = database.prepare("select count(*) from alert_message where delivery = 'delivered'").pluck().get();
    return notificationsIn(shortPath).length - (sent as number);
  } finally {
    database.close();
  }
}
