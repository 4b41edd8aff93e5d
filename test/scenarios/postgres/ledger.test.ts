/** Two processes that record into one PostgreSQL while one entry of the exchange's ledger is missing for hours. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import { normalize } from "../../../src/core/decimal.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { startSimulator } from "../../../src/simulator/simulator.ts";
import { mirror } from "../../../src/store/postgres/copy/mirror.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { expectSameViews } from "../../store/postgres/fill.ts";
import { connected, describePostgres } from "../../store/postgres/kit.ts";
import { newRecordedHistory, setDatabaseTime } from "../../store/postgres/recorder-kit.ts";
import { parseExposition } from "../../support/exposition.ts";
import { temporaryFolder } from "../../support/files.ts";
import { fixtureEndpoints } from "../../support/fixture-endpoints.ts";
import { classic, credentials, everyDataset, unified } from "../../support/settings.ts";
import { SettableClock } from "../../support/world.ts";

const minute = 60_000;
const hour = 60 * minute;
const start = Date.parse("2026-10-20T10:00:00Z");
const schedule = "0 */30 * * * *";
/** Both processes may claim a slot this long after it. */
const dueMs = 10_000;

interface Recording {
  child: ChildProcess;
  /** Runs what is due at an instant. Returns the breaks of the wallet `umcbl` in its metrics, by account; none where it was killed. */
  at(instant: number): Promise<Record<string, number>>;
}

async function startRecording(env: Record<string, string>): Promise<Recording> {
  const file = join(import.meta.dirname, "children/recorder.ts");
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), file, String(start - minute)], {
    ...{ cwd: temporaryFolder(), env: { PATH: process.env.PATH, ...env } },
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const printed = async () => JSON.parse((await lines.next()).value ?? '""') as string;
  await printed();
  return {
    child,
    async at(instant) {
      child.stdin.write(`${instant}\n`);
      const found = parseExposition(await printed()).filter(
        ({ name, labels }) => name === "bitget_ledger_breaks" && labels.wallet === "umcbl",
      );
      return Object.fromEntries(found.map(({ labels, value }) => [labels.account, value]));
    },
  };
}

describePostgres("two processes that record into one PostgreSQL", () => {
  it("find exactly one break where an entry is missing, alert once, and recover once when it appears, also if one is killed", async () => {
    const clock = new SettableClock(start - minute);
    const exchange = await startSimulator({
      ...{ clock, accounts: [classic, unified], endpoints: fixtureEndpoints },
      ...{ from: start - 2 * hour, habits: { hasCashFlows: true, activity: 48 } },
    });
    onTestFinished(() => exchange.close());
    const url = await newRecordedHistory(start - minute);
    const postgres = await connected(url);
    const env = {
      DATABASE_URL: url,
      BITGET_BASE_URL: exchange.url,
      BITGET_ACCOUNTS: "main,hedge",
      ...credentials(classic),
      ...credentials(unified, "BITGET_HEDGE"),
      ...everyDataset(""),
      ...{ SCHEDULE_MIX_ACCOUNTS: schedule, SCHEDULE_SPOT_ASSETS: schedule, SCHEDULE_BILLS: schedule },
      ...{ SCHEDULE_POSITIONS: schedule, SCHEDULE_CLOSED_POSITIONS: schedule },
      ...{ ALERT_STALE: "false", LOG_LEVEL: "silent" },
    };
    const one = await startRecording({ ...env, WORKER_NAME: "one" });
    const two = await startRecording({ ...env, WORKER_NAME: "two" });
    let live = [one, two];
    const lives = async (from: number, hours: number) => {
      for (let slot = from; slot <= from + hours * hour; slot += hour / 2) {
        const instant = slot + dueMs;
        clock.advanceTo(instant);
        await setDatabaseTime(url, instant);
        await Promise.all(live.map((each) => each.at(instant)));
      }
      // What one process found, the other one shows as well.
      const later = from + hours * hour + dueMs + minute;
      clock.advanceTo(later);
      await setDatabaseTime(url, later);
      return Promise.all(live.map((each) => each.at(later)));
    };
    const breaks = () =>
      postgres.query("select account, wallet, coin, residual from reconciliation where verdict = 'break'");
    const messages = () => postgres.query("select state, kind, account, value from alert_message order by id");

    expect(await lives(start, 1)).toMatchObject([{ main: 0 }, { main: 0 }]);
    clock.advanceTo(start + 1.9 * hour);
    const hidden = exchange
      .ledgerOf(classic.name)
      .find(({ at, wallet, change }) => at > start + 1.1 * hour && wallet === "umcbl" && normalize(change) !== "0");
    if (!hidden) throw new Error("nothing happened");
    exchange.listFaults.hide(hidden.id);
    expect(await lives(start + 2 * hour, 1)).toMatchObject([{ main: 1 }, { main: 1 }]);
    const residual = normalize(hidden.change);
    expect(await breaks()).toEqual([{ account: "main", wallet: "umcbl", coin: "USDT", residual }]);
    const fired = { state: "fired", kind: "ledger-break", account: "main", value: residual };
    expect(await messages()).toEqual([fired]);

    const [{ worker = "" } = {}] = await postgres.query<{ worker: string }>(
      "select worker from runs where account = 'main' and dataset = 'bills' and state = 'ok' order by run_id desc limit 1",
    );
    const [killed, left] = worker === "one" ? [one, two] : [two, one];
    killed.child.kill("SIGKILL");
    await once(killed.child, "exit");
    live = [left];
    expect(await lives(start + 3.5 * hour, 0.5)).toMatchObject([{ main: 1 }]);
    expect(await messages()).toEqual([fired]);
    exchange.listFaults.show(hidden.id);
    // The entry is older than what every run reads again; the first one of a day reads three days.
    expect(await lives(Date.parse("2026-10-21T00:00:00Z"), 0.5)).toMatchObject([{ main: 0 }]);
    expect(await breaks()).toEqual([]);
    expect(await messages()).toEqual([fired, { ...fired, state: "recovered", value: null }]);

    left.child.stdin?.end();
    expect(await once(left.child, "exit")).toEqual([0, null]);
    const positions = await postgres.query<{ account: string }>(
      "select account from position_episodes where verdict = 'proven' group by 1",
    );
    expect(positions.map(({ account }) => account).sort()).toEqual(["hedge", "main"]);
    const copy = join(temporaryFolder(), "copy.db");
    await mirror(postgres, copy, { datasets, now: () => start });
    await expectSameViews(postgres, copy);
    expect((await verify(copy, datasets)).problems).toEqual([]);
  });
});
