/** Rows U11 and U12: secrets must not leak, and log lines must not be forged. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { endless } from "../support/console-statements.ts";
import { credentials } from "../support/settings.ts";
import { until } from "../support/wait.ts";
import { formsOf } from "./canary.ts";
import { serveCoins } from "./hostile-coins.ts";
import { row, rowElsewhere } from "./row.ts";
import { funding, positions, runsOf } from "./runs.ts";

const forever = { times: Number.POSITIVE_INFINITY };

/** Returns what other processes of the same user can read: arguments and environment. */
const shownBy = (pid: number): Buffer =>
  Buffer.concat(["cmdline", "environ"].map((what) => readFileSync(`/proc/${pid}/${what}`)));

const childrenOf = (pid: number): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${child}/status`, "utf8"))?.[1]) === pid;
      } catch {
        return false;
      }
    });

// Every row is searched at its end; here the exchange repeats each secret in each of its forms.
const fault = "secrets in what is printed, stored, exported, copied, and shown of processes";
if (process.platform !== "linux") rowElsewhere("U11", fault, "reads /proc");
else {
  row(
    "U11",
    fault,
    { inEveryRun: true, timeoutSeconds: 120 },
    async ({ account, exchange, folder, launch, run, start, stop, rows }) => {
      const { key, secret, passphrase } = account;
      const secrets = [key, secret, passphrase];
      const settings = Object.entries(credentials(account)).map(([name, value]) => `${name}="${value}"`);
      writeFileSync(join(folder, ".env"), settings.join("\n"), { mode: 0o600 });
      const env = {
        BITGET_API_KEY: undefined,
        BITGET_API_SECRET: undefined,
        BITGET_API_PASSPHRASE: undefined,
        SCHEDULE_FUNDING_ASSETS: "*/2 * * * * *",
        SCHEDULE_REPORTS: "5 0 * * *",
        LOG_LEVEL: "trace",
      };
      const pair = Buffer.from(`${key}:${secret}`).toString("base64");
      const forms = secrets.flatMap(formsOf);
      // Only 200 characters of a text are kept, so the forms are sent one at a time.
      for (const form of [pair, ...forms])
        exchange.injectFault({ path: positions, code: "40034", message: `no ${form}` });
      serveCoins(exchange, [
        { coin: "BTC", echo: { deep: [secret] } },
        { coin: "ETH", [key]: passphrase },
        { coin: "XRP", harmless: "kept" },
      ]);
      exchange.injectFault({
        ...forever,
        path: funding,
        edit: (envelope) => {
          const answer = envelope as { data: object[] };
          return { ...answer, data: secrets.map((value) => ({ ...answer.data[0], coin: "BTC", available: value })) };
        },
      });

      const daemon = await start(env);
      for (const name of ["spot-assets", "positions", "funding-assets"])
        await until(() => runsOf(daemon, name).length >= 2);
      const asking = launch({ ...env, SQL_TIMEOUT_SECONDS: "60" }, ["sql", `${endless} select count(*) from c`]);
      const pids = [daemon.child.pid ?? 0, asking.child.pid ?? 0];
      await until(() => childrenOf(asking.child.pid ?? 0).length > 0);
      const shown = [...pids, ...childrenOf(asking.child.pid ?? 0)].map(shownBy);
      expect(shown).toHaveLength(3);
      for (const bytes of shown) expect(forms.filter((form) => bytes.includes(form))).toEqual([]);
      asking.child.kill("SIGKILL");
      await stop(daemon);

      for (const args of [
        ["check"],
        ["status"],
        ["history", "spot-assets", "--format", "json"],
        ["sql", "select * from snapshots", "--format", "ndjson"],
        ["export", "spot-assets", "--out", "out.ndjson.gz"],
        ["report", "balances", "--out", "out.csv"],
        ["db", "backup", "copy.db"],
        ["get", "v2/spot-assets"],
        ["get", "v2/positions", "--param", "productType=USDT-FUTURES"],
      ])
        await run(args, env);

      const failures = rows(
        "select distinct error_message as message from snapshots where dataset = 'positions' and state = 'failed'",
      );
      expect(failures).toContainEqual({ message: expect.stringContaining('"no [secret]"') });
      expect(rows("select distinct coin, extra from spot_assets_history order by coin")).toEqual([
        { coin: "BTC", extra: '{"redacted":"it repeated a secret"}' },
        { coin: "ETH", extra: '{"redacted":"it repeated a secret"}' },
        { coin: "XRP", extra: '{"harmless":"kept"}' },
      ]);
    },
  );
}

const forged = '{"level":30,"msg":"forged"}';

row(
  "U12",
  "log injection: newline and a forged line, escapes, 1 MB of text",
  { timeoutSeconds: 120 },
  async (bench) => {
    const { exchange, start, stop } = bench;
    const text = `x\n${forged}\r\n\u001b[2J${"y".repeat(1_000_000)}`;
    serveCoins(exchange, [{ coin: `A\n${forged}`, [`field\n${forged}\u001b[2J${"z".repeat(1_000_000)}`]: "1" }]);
    exchange.injectFault({ ...forever, path: positions, code: "40034", message: text });
    for (const format of ["json", "pretty"]) {
      const daemon = await start({ LOG_FORMAT: format, LOG_LEVEL: "trace" });
      await daemon.printed("positions failed");
      await daemon.printed("spot-assets ok");
      await daemon.printed("sends an unknown field");
      const lines = (await stop(daemon)).stderr.trimEnd().split("\n");
      for (const line of lines) {
        expect(line.length, line.slice(0, 200)).toBeLessThan(2048);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for them
        expect(line).not.toMatch(/[\u0000-\u001f]/);
        if (format === "pretty")
          expect(line).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\] (TRACE|DEBUG|INFO|WARN|ERROR): /);
        else expect(JSON.parse(line)).not.toMatchObject({ msg: "forged" });
      }
      expect(lines.some((line) => line.includes("forged"))).toBe(true);
    }
    expect(bench.rows("select max(length(error_message)) < 400 as cut from snapshots")).toEqual([{ cut: 1 }]);
  },
);
