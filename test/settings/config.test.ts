import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/domain.ts";
import { ConfigError } from "../../src/core/errors.ts";
import { redactor } from "../../src/core/text.ts";
import { loadConfig, secretsOf } from "../../src/settings/config.ts";
import { environment, isSecret, secretsIn } from "../../src/settings/env-file.ts";
import { temporaryFolder } from "../support/files.ts";
import { classic, credentials } from "../support/settings.ts";

const good = credentials(classic);

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("settings", () => {
  it("have the defaults of .env.example", () => {
    const config = loadConfig(good);
    expect(config).toMatchObject({
      baseUrl: "https://api.bitget.com",
      fallbackBaseUrl: null,
      demoTrading: false,
      productTypes: ["umcbl", "dmcbl", "cmcbl", "sumcbl"],
      allowWriteKeys: false,
      databasePath: resolve("data/collector.db"),
      runDeadlineSeconds: 60,
      logLevel: "info",
    });
    expect(config.schedules.positions?.text).toBe("*/5 * * * *");
    expect(config.accounts.map(({ name, api }) => [name, api])).toEqual([["main", "auto"]]);
  });

  it("use UTC days by default, whatever the time zone of the machine, and write reports after each day", () => {
    const config = loadConfig({ ...good, TZ: "Asia/Tokyo" });
    expect(config).toMatchObject({ timezone: "UTC", reportsDirectory: resolve("reports") });
    expect(config.reportsSchedule).toMatchObject({ text: "5 0 * * *", timezone: "UTC" });
    expect(loadConfig({ ...good, SCHEDULE_REPORTS: "" }).reportsSchedule).toBeNull();
    expect(loadConfig({ ...good, TIMEZONE: "Australia/Lord_Howe" }).reportsSchedule?.timezone).toBe(
      "Australia/Lord_Howe",
    );
  });

  it("serve the dashboard to this machine only by default", () => {
    expect(loadConfig(good).http).toEqual({ host: "127.0.0.1", port: 8787, names: [], token: null });
    expect(loadConfig({ ...good, HTTP_PORT: "" }).http).toBeNull();
    expect(loadConfig(good, { credentials: false }).http).toBeNull();
    expect(loadConfig({ ...good, HTTP_HOST: "[::1]", HTTP_PORT: "0" }).http).toMatchObject({ host: "::1", port: 0 });
  });

  it.each(["0.0.0.0", "::", "192.168.1.2", "nas.local", "127.0.0.1.nip.io"])(
    "ask for a token to serve at %s",
    (host) => {
      expect(problemsOf({ ...good, HTTP_HOST: host })).toEqual([
        "HTTP_TOKEN is missing, and HTTP_HOST opens the dashboard to other machines; set a token of at least 16 characters, for example from `openssl rand -hex 24`",
      ]);
      expect(problemsOf({ ...good, HTTP_HOST: host, HTTP_TOKEN: "fifteen-charact" })).toEqual([
        "HTTP_TOKEN is shorter than 16 characters",
      ]);
      expect(problemsOf({ ...good, HTTP_HOST: host, HTTP_TOKEN: "sixteen-characte" })).toEqual([]);
    },
  );

  it("refuse an invalid address of the dashboard, and HTTP_NAMES without a token", () => {
    expect(problemsOf({ ...good, HTTP_HOST: "http://x", HTTP_PORT: "65536", HTTP_NAMES: "a.example, b/c" })).toEqual([
      'HTTP_PORT is "65536"; it must be whole numbers from 0 to 65535',
      'HTTP_HOST is "http://x"; it must be an address of this machine, such as 127.0.0.1',
      'HTTP_NAMES has "b/c", which is not a host name such as collector.example.com',
      "HTTP_TOKEN is missing, and HTTP_HOST opens the dashboard to other machines; set a token of at least 16 characters, for example from `openssl rand -hex 24`",
    ]);
    expect(problemsOf({ ...good, HTTP_NAMES: "collector.example.com" })).toEqual([
      "HTTP_TOKEN is missing, and HTTP_NAMES opens the dashboard to other machines; set a token of at least 16 characters, for example from `openssl rand -hex 24`",
    ]);
  });

  it("read the dashboard token from a file, and never print it", () => {
    const path = join(temporaryFolder(), "token");
    writeFileSync(path, "a-token-of-the-pages\n");
    const config = loadConfig({ ...good, HTTP_TOKEN_FILE: path });
    expect(config.http?.token?.reveal()).toBe("a-token-of-the-pages");
    expect(secretsOf(config).map((secret) => secret.reveal())).toContain("a-token-of-the-pages");
  });

  it.each(["Europe/Berln", "", " ", "Europe/Berlin ", "GMT+5", "+02:00"])("refuse the time zone %j", (timezone) => {
    expect(problemsOf({ ...good, TIMEZONE: timezone })).toEqual([
      `TIMEZONE is "${timezone}"; it must be the name of a time zone, such as Europe/Berlin or UTC`,
    ]);
  });

  it("refuse a time zone abbreviation and suggest the full name", () => {
    expect(problemsOf({ ...good, TIMEZONE: "JST" })).toEqual([
      'TIMEZONE is "JST", an abbreviation of several time zones; use a full name such as Asia/Tokyo',
    ]);
  });

  it("refuse an invalid schedule of reports, and an empty REPORTS_DIR", () => {
    expect(problemsOf({ ...good, SCHEDULE_REPORTS: "daily", REPORTS_DIR: "" })).toEqual([
      'SCHEDULE_REPORTS ("daily") has 1 fields; a pattern has five, or six with seconds first',
      "REPORTS_DIR must name a folder, as in ./reports",
    ]);
  });

  it("read for how many days raw responses are kept; 0 keeps none", () => {
    expect(loadConfig(good).keepRawDays).toBe(30);
    expect(loadConfig({ ...good, KEEP_RAW_DAYS: "0" }).keepRawDays).toBe(0);
    expect(problemsOf({ ...good, KEEP_RAW_DAYS: "-1" })).toEqual([
      'KEEP_RAW_DAYS is "-1"; it must be whole days from 0 to 3650',
    ]);
  });

  it("send a heartbeat only to a URL that is set, and only over https or loopback", () => {
    const url = "https://hc-ping.example/0b6f2a55-7a6e-4a59-8f6e-7f1f3a1c9d20?rid=1";
    expect(loadConfig(good).heartbeatUrl).toBeNull();
    expect(loadConfig({ ...good, HEARTBEAT_URL: url }).heartbeatUrl?.reveal()).toBe(url);
    expect(problemsOf({ ...good, HEARTBEAT_URL: "http://127.0.0.1:8000/ping" })).toEqual([]);
    for (const wrong of ["http://hc-ping.example/abc", "hc-ping.example/abc", "https://a:b@hc-ping.example/abc"])
      expect(problemsOf({ ...good, HEARTBEAT_URL: wrong })).toEqual([
        "HEARTBEAT_URL must be an https:// address without user name (http:// only for this machine itself)",
      ]);
  });

  it("report all problems at once, without the value of any secret", () => {
    const problems = problemsOf({
      BITGET_API_KEY: "your_api_key_here",
      BITGET_API_SECRET: "",
      BITGET_API_PASSPHRASE: "short",
      BITGET_BASE_URL: "http://example.com",
      BITGET_PRODUCT_TYPES: "umcbl,spot",
      BITGET_DEMO_TRADING: "maybe",
      SCHEDULE_POSITIONS: "*/70 * * * *",
      RUN_DEADLINE_SECONDS: "0",
      DATABASE_URL: "",
      LOG_LEVEL: "loud",
    });
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual([
      "BITGET_API_KEY",
      "BITGET_API_SECRET",
      "BITGET_API_PASSPHRASE",
      "BITGET_BASE_URL",
      "BITGET_DEMO_TRADING",
      "BITGET_PRODUCT_TYPES",
      "DATABASE_URL",
      "SCHEDULE_POSITIONS",
      "RUN_DEADLINE_SECONDS",
      "LOG_LEVEL",
    ]);
    expect(problems.join()).not.toContain("short,");
    expect(problems.join()).not.toContain("your_api_key_here");
  });

  it.each(["", "   ", "xxx", "<key>", "your-key", "YOUR_API_KEY", "changeme", "..."])(
    "take %j for a key that is not there",
    (key) => {
      expect(problemsOf({ ...good, BITGET_API_KEY: key })).toEqual([expect.stringMatching(/^BITGET_API_KEY /)]);
    },
  );

  it("read a secret from a file without its trailing newline", () => {
    const path = join(temporaryFolder(), "secret");
    writeFileSync(path, `${good.BITGET_API_SECRET}\n`);
    const { BITGET_API_SECRET: _, ...rest } = good;
    const config = loadConfig({ ...rest, BITGET_API_SECRET_FILE: path });
    expect(config.accounts[0]?.secret.reveal()).toBe(good.BITGET_API_SECRET);
  });

  it("refuse a secret that is set twice, and a missing file", () => {
    expect(problemsOf({ ...good, BITGET_API_KEY_FILE: "/nowhere" })).toEqual([
      "BITGET_API_KEY and BITGET_API_KEY_FILE are both set; keep one",
    ]);
    const { BITGET_API_KEY: _, ...rest } = good;
    expect(problemsOf({ ...rest, BITGET_API_KEY_FILE: "/nowhere" })).toEqual([
      "BITGET_API_KEY_FILE names a file that cannot be read (ENOENT)",
    ]);
  });

  it.each<[string, string | Buffer, string]>([
    [
      "in UTF-16",
      Buffer.from("\ufeff0123456789abcdef\r\n", "utf16le"),
      "_FILE names PATH, which is in UTF-16, as PowerShell's > writes it; save it as UTF-8",
    ],
    [
      "in bytes that are no text",
      Buffer.from("0123456789\xff", "latin1"),
      "_FILE names PATH, which has bytes that are not UTF-8; save it as UTF-8",
    ],
    [
      "with its name",
      "BITGET_API_SECRET=0123456789abcdef\n",
      " has its name before the value (NAME=value); keep only the value (in PATH)",
    ],
    [
      "with a name and a colon",
      "api_secret: 0123456789abcdef\n",
      " has its name before the value (NAME=value); keep only the value (in PATH)",
    ],
    [
      "with a remark",
      "0123456789abcdef\n# of 2026\n",
      " has more than one line; keep only the value, without comments (in PATH)",
    ],
    [
      "with a blank of no width",
      "01234567\u200b89abcdef\n",
      " has an invisible character; copy the value again (in PATH)",
    ],
    ["with quotes", '"0123456789abcdef"\n', " contains the quotes around it; remove them (in PATH)"],
    ["that is empty", "\n", " is missing (in PATH)"],
  ])("refuse a secret from a file %s", (_what, content, problem) => {
    const path = join(temporaryFolder(), "secret");
    writeFileSync(path, content);
    const { BITGET_API_SECRET: _, ...rest } = good;
    const problems = problemsOf({ ...rest, BITGET_API_SECRET_FILE: path });
    expect(problems).toEqual([`BITGET_API_SECRET${problem.replace("PATH", path)}`]);
  });

  it("accept a secret file with a byte order mark, a PEM key, and a value that contains = or a backslash", () => {
    const read = (content: string) => {
      const path = join(temporaryFolder(), "secret");
      writeFileSync(path, content);
      const { BITGET_API_SECRET: _, ...rest } = good;
      return loadConfig({ ...rest, BITGET_API_SECRET_FILE: path }).accounts[0]?.secret.reveal();
    };
    const pem = "-----BEGIN PRIVATE KEY-----\nMIIBVQ==\n-----END PRIVATE KEY-----";
    expect(read("\ufeff0123456789abcdef\r\n")).toBe("0123456789abcdef");
    expect(read(`${pem}\n`)).toBe(pem);
    expect(read(pem.replaceAll("\n", "\\n"))).toBe(pem);
    expect(read("0123456789abcdeKEY==")).toBe("0123456789abcdeKEY==");
    expect(read("back\\nslash\\nope")).toBe("back\\nslash\\nope");
  });

  it("describe several accounts, each with its own key and API version", () => {
    const config = loadConfig({
      ...good,
      BITGET_ACCOUNTS: "main,hedge",
      BITGET_HEDGE_API_KEY: "bg_hedge_key_0123456789",
      BITGET_HEDGE_API_SECRET: "hedge-secret-0123",
      BITGET_HEDGE_API_PASSPHRASE: "hedge-passphrase",
      BITGET_HEDGE_API_VERSION: "v3",
    });
    expect(config.accounts.map(({ name, api, key }) => [name, api, key.reveal()])).toEqual([
      ["main", "auto", good.BITGET_API_KEY],
      ["hedge", "v3", "bg_hedge_key_0123456789"],
    ]);
  });

  it.each([
    ["main,MAIN", "twice"],
    ["../x", "a name is a letter"],
    ["public", "stands for public data"],
    ["", undefined],
  ])("check the account names %j", (names, sentence) => {
    const problem = problemsOf({ ...good, BITGET_MAIN_API_KEY: "", BITGET_ACCOUNTS: names }).find((one) =>
      one.startsWith("BITGET_ACCOUNTS"),
    );
    expect(problem).toEqual(sentence === undefined ? undefined : expect.stringContaining(sentence));
  });

  it.each([
    ["https://api.bitget.com", true],
    ["http://127.0.0.1:8080", true],
    ["http://localhost:8080", true],
    ["http://api.bitget.com", false],
    ["https://user:pass@api.bitget.com", false],
    ["https://api.bitget.com/v2", false],
    ["not a url", false],
  ])("check the base URL %s", (url, accepted) => {
    expect(problemsOf({ ...good, BITGET_BASE_URL: url }).length === 0).toBe(accepted);
  });

  it("accept product types in either spelling, without duplicates", () => {
    expect(loadConfig({ ...good, BITGET_PRODUCT_TYPES: "USDT-FUTURES, umcbl,coin-futures" }).productTypes).toEqual([
      "umcbl",
      "dmcbl",
    ]);
  });

  it("refuse one key under two names, which would double the requests to the exchange", () => {
    const twins = { ...good, ...credentials(classic, "BITGET_TWIN"), BITGET_ACCOUNTS: "main,twin" };
    expect(problemsOf(twins)).toEqual(['BITGET_ACCOUNTS has the same API key under "main" and "twin"']);
  });

  it.each([
    ["file:./data/x.db", true],
    ["file:data/x.db", true],
    ["file:/var/lib/x.db", true],
    ["file:///var/lib/x.db", true],
    ["", false],
    ["file:", false],
    ["./data/x.db", false],
    ["file://localhost/tmp/x.db", false],
    ["file:~/x.db", false],
    ["file:./x.db?mode=ro", false],
    ["file:a%20b.db", false],
    ["postgres://localhost/x", true],
    ["postgresql://me:secret@db.example.com/x?schema=desk&sslmode=verify-full", true],
    ["postgres://localhost", false],
    ["postgres://localhost/x?sslmode=prefer", false],
    ["postgres://localhost/x?schema=Desk", false],
    ["mysql://localhost/x", false],
  ])("check the database URL %j", (url, accepted) => {
    expect(problemsOf({ ...good, DATABASE_URL: url }).length === 0).toBe(accepted);
  });

  it("name the mirror of a history in PostgreSQL, and treat its URL as a secret", () => {
    const url = "postgres://me:s3cr%24t-word@localhost/desk?schema=second";
    const config = loadConfig({ ...good, DATABASE_URL: url });
    expect(config).toMatchObject({ databasePath: resolve("data/desk-second.mirror.db"), postgres: expect.any(Secret) });
    const isRedacted = (text: string) => redactor(secretsOf(config))(text) !== text;
    expect([url, "s3cr%24t-word", "s3cr$t-word", "desk"].map(isRedacted)).toEqual([true, true, true, false]);
    for (const name of ["DATABASE_URL", "SHIP_DATABASE_URL"])
      expect(redactor(secretsIn({ [name]: url }))("<s3cr$t-word>")).toBe("<[secret]>");
    expect([isSecret("DATABASE_URL", url), isSecret("DATABASE_URL", "file:./data/x.db")]).toEqual([true, false]);
    expect(problemsOf({ ...good, DATABASE_URL: "postgres://me:s3cret@/" }).join()).not.toContain("s3cret");
  });

  it("switch a dataset off with an empty schedule", () => {
    expect(loadConfig({ ...good, SCHEDULE_PRICES: "" }).schedules.prices).toBeNull();
  });

  it("require no key for commands that only read the database", () => {
    expect(loadConfig({}, { credentials: false }).accounts).toEqual([]);
  });

  it("come from a .env with a byte order mark; an unreadable .env is reported", () => {
    const directory = temporaryFolder();
    writeFileSync(join(directory, ".env"), "\ufeffLOG_LEVEL=debug\n");
    expect(environment(directory, {}).LOG_LEVEL).toBe("debug");
    const other = temporaryFolder();
    mkdirSync(join(other, ".env"));
    expect(() => environment(other, {})).toThrow("cannot be read (EISDIR)");
  });

  it("are refused from a .env with keys that others can read, and accepted from one without keys", () => {
    const directory = temporaryFolder();
    const file = join(directory, ".env");
    writeFileSync(file, "BITGET_HEDGE_API_SECRET=0123456789\n", { mode: 0o640 });
    expect(() => environment(directory, {})).toThrow(`Run: chmod 600 ${file}`);
    writeFileSync(file, "BITGET_HEDGE_API_SECRET=\nBITGET_API_KEY_FILE=key\n");
    expect(environment(directory, {}).BITGET_API_KEY_FILE).toBe("key");
  });

  it.each([
    { NODE_DEBUG: "http" },
    { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
    { NODE_OPTIONS: "--max-old-space-size=400 --report-uncaught-exception" },
    { NODE_OPTIONS: "--inspect=0.0.0.0" },
  ])("are refused together with %j, which would leak keys, unless no key is read", (surroundings) => {
    const [setting = ""] = Object.keys(surroundings);
    expect(problemsOf({ ...good, ...surroundings })).toEqual([expect.stringContaining(setting)]);
    expect(loadConfig(surroundings, { credentials: false }).accounts).toEqual([]);
    expect(
      problemsOf({ ...good, NODE_OPTIONS: "--max-old-space-size=400", NODE_TLS_REJECT_UNAUTHORIZED: "1" }),
    ).toEqual([]);
  });

  it("come from the environment first, then from .env", () => {
    const directory = temporaryFolder();
    writeFileSync(join(directory, ".env"), 'LOG_LEVEL=debug\nBITGET_API_KEY="from file"\n', { mode: 0o600 });
    const env = environment(directory, { LOG_LEVEL: "warn" });
    expect([env.LOG_LEVEL, env.BITGET_API_KEY]).toEqual(["warn", "from file"]);
  });
});
