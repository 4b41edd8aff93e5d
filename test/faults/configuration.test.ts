/** Faults in the settings: rows C1 to C11. */
import "./configuration-leaks.ts";
import "./configuration-proxy.ts";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { datasetNames } from "../../src/datasets/index.ts";
import { scheduleSetting } from "../../src/settings/config.ts";
import { startExchange } from "../support/exchange.ts";
import { credentials } from "../support/settings.ts";
import { until } from "../support/wait.ts";
import { row, rowElsewhere } from "./row.ts";
import { expectCollects, noKeys, startupProblems } from "./startup-problems.ts";

row(
  "C1",
  "key missing, blank, spaces, newline at end, placeholder, quotes kept",
  { inEveryRun: true, timeoutSeconds: 120 },
  async (bench) => {
    const { account, folder } = bench;
    const named = (key?: string, secret?: string, passphrase?: string) =>
      startupProblems(bench, { BITGET_API_KEY: key, BITGET_API_SECRET: secret, BITGET_API_PASSPHRASE: passphrase });
    const all = (problem: string) => ["KEY", "SECRET", "PASSPHRASE"].map((name) => `BITGET_API_${name} ${problem}`);
    const [missing, left, quoted, short] = await Promise.all([
      named(undefined, "", "   \n"),
      named("your_api_key_here", "xxx", "<key>"),
      named(`"${account.key}"`, `'${account.secret}'`, `"${account.passphrase}"`),
      named("k3y-one", "s3cret7", "p4ss"),
    ]);
    expect(missing).toEqual(all("is missing"));
    expect(left).toEqual(all("is still a placeholder"));
    expect(left?.join()).not.toMatch(/your_api|xxx|<key>/);
    expect(quoted).toEqual(all("contains the quotes around it; remove them"));
    expect(short).toEqual(all("is shorter than 8 characters"));
    expect(short?.join()).not.toMatch(/k3y|s3cret7|p4ss/);

    writeFileSync(join(folder, "key.secret"), `${account.key}\r\n`);
    const lines = ["BITGET_API_KEY_FILE=key.secret", `BITGET_API_SECRET = ${account.secret}  `];
    writeFileSync(join(folder, ".env"), [...lines, `BITGET_API_PASSPHRASE="${account.passphrase}\n"`].join("\r\n"), {
      mode: 0o600,
    });
    await expectCollects(bench, noKeys);
  },
);

const noPatterns = [
  ["*/70 * * * *", "5-1 * * * *", "0 0 13 * 5", "* * * * * * *", "* * * *", "60 * * * *", "*/0 * * * *"],
  ["0 0 31 2 *", "@reboot", "@every 5m", "0 0 L * *", "* * * * 1#2", "1,,2 * * * *", "-5 * * * *"],
  ["1.5 * * * *", "a * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "61 * * * * *"],
];

/** Schedules in UTC, seconds first. Six fields are allowed as well as five, down to every second: the rate limiter keeps the limits. */
const goodPatterns: [string, (time: Date) => boolean][] = [
  ["*/5 * * * *", (time) => time.getUTCSeconds() === 0 && time.getUTCMinutes() % 5 === 0],
  ["*/20 * * * * *", (time) => time.getUTCSeconds() % 20 === 0],
  [" 30 2 * * 1-5 ", (time) => time.getUTCDay() % 6 !== 0 && time.toISOString().slice(11, 19) === "02:30:00"],
];

function nextThree(isDue: (time: Date) => boolean, after: number): string {
  const slots: string[] = [];
  for (let at = Math.floor(after / 1000) * 1000 + 1000; slots.length < 3; at += 1000)
    if (isDue(new Date(at))) slots.push(new Date(at).toISOString());
  return slots.join(", ");
}

row("C2", "invalid cron", { inEveryRun: true, timeoutSeconds: 120 }, async (bench) => {
  const settings = [...datasetNames.map(scheduleSetting), "SCHEDULE_REPORTS"];
  await Promise.all(
    noPatterns.map(async (patterns) => {
      const env = Object.fromEntries(settings.map((setting, n) => [setting, patterns[n]]));
      const problems = await startupProblems(bench, env);
      const named = patterns.map((pattern, n) => expect.stringContaining(`${settings[n]} ("${pattern}") `));
      expect(problems).toEqual(named);
    }),
  );
  const before = Date.now();
  const { code, stdout } = await bench.run(
    ["check"],
    Object.fromEntries(goodPatterns.map(([pattern], n) => [settings[n], pattern])),
  );
  const after = Date.now();
  expect(code).toBe(0);
  for (const [n, [pattern, isDue]] of goodPatterns.entries()) {
    const line = (at: number) =>
      `schedule   ${datasetNames[n]}: ${pattern.trim()} (UTC), next ${nextThree(isDue, at)}\n`;
    expect(stdout.includes(line(before)) || stdout.includes(line(after)), stdout + line(after)).toBe(true);
  }
});

row("C3", "invalid time zone; no time zone", { inEveryRun: true, timeoutSeconds: 120 }, async (bench) => {
  const none = ["Europe/Berln", "", "Europe/Berlin ", "GMT+5"];
  const problems = await Promise.all(none.map((timezone) => startupProblems(bench, { TIMEZONE: timezone })));
  expect(problems).toEqual(
    none.map((timezone) => [
      `TIMEZONE is "${timezone}"; it must be the name of a time zone, such as Europe/Berlin or UTC`,
    ]),
  );
  const daemon = await bench.start({ TZ: "Asia/Tokyo", SCHEDULE_SPOT_ASSETS: "0 3 * * *", SCHEDULE_POSITIONS: "" });
  await bench.stop(daemon);
  expect(daemon.output().stderr).toMatch(/the next slot is \d{4}-\d{2}-\d{2}T03:00:00\.000Z/);
});

// The request rate is not a setting: each endpoint has its documented limit.
row("C4", "deadline 0, negative, not a number, infinite", { timeoutSeconds: 120 }, async (bench) => {
  const none = ["0", "-1", "1.5", "1e9", "3601", "soon"];
  const problems = await Promise.all(
    none.map((value) => startupProblems(bench, { RUN_DEADLINE_SECONDS: value, SQL_TIMEOUT_SECONDS: value })),
  );
  expect(problems).toEqual(
    none.map((value) =>
      ["RUN_DEADLINE_SECONDS", "SQL_TIMEOUT_SECONDS"].map(
        (setting) => `${setting} is "${value}"; it must be whole seconds from 1 to 3600`,
      ),
    ),
  );
});

row(
  "C5",
  "database, report and backup path that cannot be written, or is in /proc",
  { timeoutSeconds: 120 },
  async (bench) => {
    const { folder, run } = bench;
    writeFileSync(join(folder, "file"), "");
    for (const place of ["/proc/none", "/sys/none", join(folder, "file")]) {
      expect(await startupProblems(bench, { DATABASE_URL: `file:${place}/collector.db` })).toEqual([
        expect.stringContaining(`${place}/collector.db cannot be`),
      ]);
    }
    await expectCollects(bench, {});
    for (const place of ["/proc/none", join(folder, "file")]) {
      const env = { SCHEDULE_REPORTS: "5 0 * * *", REPORTS_DIR: place };
      const { code, stderr } = await run(["start"], env);
      expect([code, stderr]).toEqual([78, expect.stringContaining(`${place} cannot be written`)]);
      const backup = await run(["db", "backup", `${place}/copy.db`]);
      expect([backup.code !== 0, backup.stderr]).toEqual([true, expect.stringContaining(`${place}/copy.db`)]);
    }
  },
);

rowElsewhere("C5", "database path inside a network mount", "a network file system cannot be mounted by a test");

row(
  "C6",
  "account names: duplicate, by case, ../x, 300 characters, emoji, control characters",
  { timeoutSeconds: 120 },
  async (bench) => {
    const tables: [string, string][] = [
      ["main,main", 'names "main" twice'],
      ["main,MAIN", 'names "MAIN" twice'],
      ["main,../x", 'has the name "../x"'],
      [`main,${"n".repeat(300)}`, `has the name "${"n".repeat(40)}"`],
      ["main,🚀", 'has the name "🚀"'],
      ["main,a\u001b[2Jb", 'has the name "a\\u001b[2Jb"'],
      ["main,a\nb", 'has the name "a\\u000ab"'],
      ["public", 'cannot use "public"'],
    ];
    const problems = await Promise.all(tables.map(([names]) => startupProblems(bench, { BITGET_ACCOUNTS: names })));
    for (const [n, [, problem]] of tables.entries())
      expect(problems[n]).toContainEqual(expect.stringContaining(`BITGET_ACCOUNTS ${problem}`));
    expect(readdirSync(bench.folder, { recursive: true })).toEqual([]);
    expect(existsSync(join(bench.folder, "..", "x"))).toBe(false);
  },
);

row("C8", "base URL http://, other host, with user:pass, trailing path", { timeoutSeconds: 120 }, async (bench) => {
  const tables: [string, string][] = [
    ["http://api.bitget.com", "must be an https:// address (http:// only for this machine itself)"],
    ["http://127.0.0.1.evil.example", "must be an https:// address (http:// only for this machine itself)"],
    ["ftp://127.0.0.1", "must be an https:// address (http:// only for this machine itself)"],
    ["https://user:hidden-word@api.bitget.com", "must not contain a user name or password"],
    ["https://api.bitget.com/api/v2", "must be a host alone, without a path"],
    ["https://api.bitget.com?a=b", "must be a host alone, without a path"],
    ["not an address", "must be an https:// address (http:// only for this machine itself)"],
  ];
  const problems = await Promise.all(
    tables.map(([url]) => startupProblems(bench, { BITGET_BASE_URL: url, BITGET_FALLBACK_BASE_URL: url })),
  );
  expect(problems).toEqual(
    tables.map(([, problem]) => [`BITGET_BASE_URL ${problem}`, `BITGET_FALLBACK_BASE_URL ${problem}`]),
  );
  await expectCollects(bench, {});
});

// Stricter than a warning: a key that could trade is not used unless a setting allows it.
row("C10", "key with trade permission", { timeoutSeconds: 120 }, async (bench) => {
  const exchange = await startExchange({
    accounts: [{ ...bench.account, permissions: "trade" }],
  });
  bench.onEnd(() => exchange.close());
  const env = { BITGET_BASE_URL: exchange.url };
  const { code, stderr } = await bench.run(["start"], env);
  expect([code, stderr]).toEqual([
    78,
    expect.stringMatching(/is not read-only: it can write \(.+\)\. Make a read-only key/),
  ]);
  const asked = exchange.record.length;
  const check = await bench.run(["check"], env);
  expect(check.stdout).toMatch(/account {4}main: the key of account "main" is not read-only: it can write \(.+\)/);
  const daemon = await bench.start({ ...env, BITGET_ALLOW_WRITE_KEYS: "true" });
  await daemon.printed(/"state":"ok"/);
  await bench.stop(daemon);
  expect(asked).toBe(0);
  expect(exchange.record.length).toBeGreaterThan(0);
});

// Settings are read once: an edit changes nothing until the next start, and SIGHUP is a clean stop like SIGTERM.
row("C11", "settings changed to invalid while it runs", { timeoutSeconds: 120 }, async (bench) => {
  const { account, folder, rows } = bench;
  const file = join(folder, ".env");
  const good = Object.entries(credentials(account)).map(([name, value]) => `${name}="${value}"`);
  writeFileSync(file, good.join("\n"), { mode: 0o600 });
  const daemon = await bench.start(noKeys);
  await daemon.printed(/"state":"ok"/);
  writeFileSync(file, [...good, "TIMEZONE=Europe/Berln"].join("\n"));
  const changedAt = Date.now();
  const since = () =>
    rows(`select 1 from runs where state = 'ok' and scheduled_for_ms > ${changedAt} and dataset = 'spot-assets'`);
  await until(() => since().length >= 2);
  const end = await bench.stop(daemon);
  expect([end.code, end.stderr]).toEqual([0, expect.stringContaining('"msg":"stopped"')]);
  expect(await startupProblems(bench, noKeys)).toEqual([expect.stringContaining('TIMEZONE is "Europe/Berln"')]);
});
