/** Every command of the program once with DATABASE_URL=postgres://…, on a history that `collect` recorded there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { loadCommands } from "../../../src/commands/index.ts";
import { describePostgres, newHistory } from "../../store/postgres/kit.ts";
import { startExchange } from "../../support/exchange.ts";
import { temporaryFolder } from "../../support/files.ts";
import { start as begin, run } from "../../support/program.ts";
import { classic, credentials, everyModelled } from "../../support/settings.ts";

/** Arguments, exit code, and what the command prints on stdout, or on stderr where it is refused. */
const calls: Record<string, readonly [args: string, code: number, output: RegExp]> = {
  collect: ["collect", 0, /main +spot-assets +ok|spot-assets/],
  init: ["init --yes", 0, /The exchange accepts the key/],
  check: ["check", 0, /^✓ database +PostgreSQL at .*, schema bitget is up to date$/m],
  status: ["status", 0, /^main +spot-assets +\S+/m],
  history: ["history spot-assets --format csv --limit 1", 0, /^account,taken_at,coin,/],
  report: ["report balances --from -1d", 0, /^\S*account/],
  statement: ["statement MONTH", 0, /^<!doctype html>/i],
  books: ["books MONTH --out month.zip", 0, /^/],
  reconcile: ["reconcile --format csv", 0, /^account,wallet,coin,from_at,/],
  export: ["export positions --out positions.csv", 0, /^/],
  open: ["open", 78, /HTTP_PORT is empty/],
  runs: ["runs --dataset spot-assets", 0, /^main +spot-assets +\S+ \S+ +ok/m],
  gaps: ["gaps", 0, /^account +dataset +product_type/],
  sql: ["sql --format json", 0, /"dataset": *"spot-assets"/],
  get: ["get /api/v2/spot/account/assets", 0, /"available"/],
  completion: ["completion words -- history spot", 0, /^spot-assets$/m],
  "accounts discover": ["accounts discover", 0, /^/],
  "accounts retire": ["accounts retire main --yes", 78, /the settings of this machine have main/],
  "alerts list": ["alerts list", 0, /./],
  "alerts test": ["alerts test", 78, /ALERT_WEBHOOK_URL/],
  "db mirror": ["db mirror --out copy.db", 0, /copy\.db has the state of/],
  "db ship": ["db ship", 78, /does not work on a PostgreSQL database/],
  "db migrate": ["db migrate", 78, /does not work on a PostgreSQL database/],
  "db backup": ["db backup backup.db", 0, /backup\.db/],
  "db restore": ["db restore backup.db", 78, /does not work on a PostgreSQL database/],
  "db verify": ["db verify", 0, /OK, unaltered/],
  "db prune": ["db prune", 78, /does not work on a PostgreSQL database/],
  "db replay": ["db replay", 78, /does not work on a PostgreSQL database/],
  "db import": ["db import positions.csv", 78, /does not work on a PostgreSQL database/],
};

/** Commands that run until a signal, and what they print when they are ready. */
const untilStopped: Record<string, readonly [args: string, printed: RegExp]> = {
  start: ["start", /the next slot is/],
  serve: ["serve", /the pages are at/],
  "status --watch": ["status --watch", /main +spot-assets +\S+/],
};

describePostgres("with a history in PostgreSQL", () => {
  it("every command does what its help says", async () => {
    const exchange = await startExchange({ accounts: [{ ...classic, addresses: "127.0.0.1", subAccounts: [] }] });
    onTestFinished(() => exchange.close());
    const folder = temporaryFolder();
    const env = {
      DATABASE_URL: await newHistory(),
      BITGET_BASE_URL: exchange.url,
      ...everyModelled("0 0 1 1 *"),
      SCHEDULE_REPORTS: "",
      ...credentials(classic),
    };
    const all = await loadCommands();
    const tried = [...Object.keys(calls), ...Object.keys(untilStopped), "demo", "status"].map(
      (name) => name.split(" --")[0],
    );
    expect([...new Set(tried)].sort()).toEqual(all.map(({ name }) => name).sort());
    const month = new Date().toISOString().slice(0, "2026-11".length);
    for (const [name, [args, code, output]] of Object.entries(calls)) {
      // Schedules, which `status` shows, begin with the first `start`.
      if (name === "check") await stopped("start", folder, env);
      const query = name === "sql" ? ["select distinct dataset from runs"] : [];
      const found = await run([...args.replace("MONTH", month).split(" "), ...query], folder, env);
      expect([name, found.code, found.stderr]).toEqual([name, code, expect.not.stringContaining("Internal error")]);
      expect(code === 78 ? found.stderr : found.stdout, name).toMatch(output);
      const { onPostgres } = all.find((one) => one.name === name) ?? {};
      if (onPostgres === "mirror") expect(found.stderr, name).toContain("mirror of PostgreSQL at");
      if (typeof onPostgres === "object") expect(found.stderr, name).toContain(onPostgres.instead);
    }
    expect(readFileSync(join(folder, "month.zip")).length).toBeGreaterThan(1000);
    expect(readFileSync(join(folder, "positions.csv"), "utf8").split("\n").length).toBeGreaterThan(2);
    for (const name of Object.keys(untilStopped)) await stopped(name, folder, env);
  });
});

/** Runs a command until it is ready, and stops it. */
async function stopped(name: string, folder: string, env: Record<string, string>): Promise<void> {
  const [args = "", ready = /^/] = untilStopped[name] ?? [];
  const program = begin(args.split(" "), folder, { ...env, HTTP_PORT: "0" });
  await program.printed(ready);
  program.child.kill("SIGTERM");
  expect([name, (await program.finished).code]).toEqual([name, 0]);
}
