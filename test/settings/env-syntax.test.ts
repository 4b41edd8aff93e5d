import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { environment, warnings } from "../../src/settings/env-file.ts";
import { parseEnvFile } from "../../src/settings/env-syntax.ts";
import { textOf } from "../../src/settings/file-text.ts";
import { temporaryFolder } from "../support/files.ts";

/** What is wrong with a `.env` of these bytes, without the path. */
function problemsOf(content: string | Buffer, env: Record<string, string> = {}): string[] {
  const directory = temporaryFolder();
  writeFileSync(join(directory, ".env"), content, { mode: 0o600 });
  try {
    environment(directory, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => problem.replace(`${join(directory, ".env")} `, ""));
  }
}

const cut = (name: string, quote = "'") =>
  `${name} would be cut off at its #; put the value in quotes (${name}=${quote}…${quote}), and a comment on a line of its own`;

describe("a .env", () => {
  it.each([
    ["BITGET_API_PASSPHRASE=Moon#2026", "BITGET_API_PASSPHRASE"],
    ["BITGET_API_PASSPHRASE=#Moon2026", "BITGET_API_PASSPHRASE"],
    ["BITGET_HEDGE_API_SECRET = 0123456789 # mine", "BITGET_HEDGE_API_SECRET"],
    ["export HTTP_TOKEN=0123456789#abcdef", "HTTP_TOKEN"],
    ["HEARTBEAT_URL=https://hc.example/abc#1", "HEARTBEAT_URL"],
    ["REPORTS_DIR=./reports#1", "REPORTS_DIR"],
    ["https_proxy=http://user:pass#word@proxy.example:3128", "https_proxy"],
  ])("with %j is refused, and no part of the value is printed", (line, name) => {
    expect(problemsOf(`# first\n\n${line}\n`)).toEqual([`line 3: ${cut(name)}`]);
  });

  it("with an unquoted # is reported with the kind of quotes that its value does not contain", () => {
    expect(problemsOf("BITGET_API_PASSPHRASE=Moon's#2026")).toEqual([`line 1: ${cut("BITGET_API_PASSPHRASE", '"')}`]);
  });

  it("may have # in quotes, in comments, and in variables that are not settings", () => {
    const lines = [
      "BITGET_API_PASSPHRASE='Moon#2026' # quoted",
      "BITGET_API_SECRET= # to be filled in",
      "SCHEDULE_PRICES=*/5 * * * * # every five minutes",
      "  # a comment",
      "OTHER=a#b",
      "",
    ];
    expect(problemsOf(lines.join("\r\n"))).toEqual([]);
  });

  it.each([
    ['BITGET_API_PASSPHRASE="Moon"2026', "there is text after the closing quote of BITGET_API_PASSPHRASE"],
    ['BITGET_API_PASSPHRASE="Moon\\"2026"', "there is text after the closing quote of BITGET_API_PASSPHRASE"],
    ["BITGET_API_PASSPHRASE='it''s'", "there is text after the closing quote of BITGET_API_PASSPHRASE"],
    ["BITGET_API_PASSPHRASE='Moon'#2026", "there is text after the closing quote of BITGET_API_PASSPHRASE"],
    ['BITGET_API_PASSPHRASE="Moon2026', "the quote before the value of BITGET_API_PASSPHRASE is not closed"],
  ])("with the quotes of %j is refused", (line, problem) => {
    expect(problemsOf(`${line}\n`)).toEqual([expect.stringContaining(`line 1: ${problem}`)]);
  });

  it("yields each value complete and as Node.js reads it, or is refused", () => {
    const characters = fc.constantFrom(..."#\"'` =\\nab7é$".split(""));
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 12 }), (written) => {
        const text = `BITGET_API_PASSPHRASE=${written}\nLOG_LEVEL=info\n`;
        const { settings, problems } = parseEnvFile(text);
        if (problems.length > 0) return;
        const byNode = parseEnv(text);
        expect([settings.BITGET_API_PASSPHRASE, settings.LOG_LEVEL]).toEqual([byNode.BITGET_API_PASSPHRASE, "info"]);
        const isQuoted = /^\s*["'`]/.test(written);
        const isEmpty = /^\s+#/.test(written);
        if (!isQuoted) expect(settings.BITGET_API_PASSPHRASE).toBe(isEmpty ? "" : written.trim());
      }),
      { numRuns: 2000 },
    );
  });

  it("may have a value of several lines in quotes, and tabs around values", () => {
    const text = "BITGET_API_SECRET=\"-----BEGIN\n#x\n-----END\"\t# pem\nLOG_LEVEL =\tdebug\t\nHTTP_PORT=\t'80'\n";
    expect(parseEnvFile(text)).toEqual({
      settings: { BITGET_API_SECRET: "-----BEGIN\n#x\n-----END", LOG_LEVEL: "debug", HTTP_PORT: "80" },
      lines: new Map([
        ["BITGET_API_SECRET", 1],
        ["LOG_LEVEL", 4],
        ["HTTP_PORT", 5],
      ]),
      problems: [],
    });
  });

  it("in YAML, with lines that are not settings, or with CR line ends, is refused with the line number", () => {
    expect(problemsOf("BITGET_API_KEY: bg_0123\n- x\n$env:HTTP_PORT = 80\n\nset LOG_LEVEL=info")).toEqual([
      "line 1 has a colon after BITGET_API_KEY; write BITGET_API_KEY=value",
      "line 2 is neither NAME=value nor a comment; a value of several lines needs quotes around it",
      "line 3 is neither NAME=value nor a comment; a value of several lines needs quotes around it",
      "line 5 is neither NAME=value nor a comment; a value of several lines needs quotes around it",
    ]);
    expect(problemsOf("BITGET_API_KEY=bg_0123\rLOG_LEVEL=info\r")).toEqual([
      "has lines that end in CR alone; save it with line ends LF",
    ]);
    expect(problemsOf("HTTP_PORT='\n\n'\nx\u2028y\n")).toEqual([expect.stringContaining("line 4 is neither")]);
  });

  it("in UTF-16 or Latin-1 is refused; in UTF-8 a byte order mark is accepted", () => {
    const text = "BITGET_API_KEY=bg_0123456789\r\n";
    const wide = "is in UTF-16, as PowerShell's > writes it; save it as UTF-8";
    expect(problemsOf(Buffer.from(`\ufeff${text}`, "utf16le"))).toEqual([wide]);
    expect(problemsOf(Buffer.from(`\ufeff${text}`, "utf16le").swap16())).toEqual([wide]);
    expect(problemsOf(Buffer.from(text, "utf16le"))).toEqual([wide]);
    expect(problemsOf(Buffer.from("REPORTS_DIR=./bücher", "latin1"))).toEqual([
      "has bytes that are not UTF-8; save it as UTF-8",
    ]);
    expect(textOf(Buffer.from("\ufeffx"))).toEqual({ text: "x", problem: null });
  });

  it("with misspelt names is rejected with a suggestion", () => {
    const names = ["SCHEDULE_SPOT_ASSET", "BITGET_PRODUCT_TYPE", "TIME_ZONE", "ALERT_DRAW_DOWN", "BITGET_API_SERCET"];
    expect(
      problemsOf([...names, "bitget_api_key", "LOGLEVEL", "BITGET_SANDBOX"].map((name) => `${name}=x`).join("\n")),
    ).toEqual([
      "line 1: SCHEDULE_SPOT_ASSET is not a setting; did you mean SCHEDULE_SPOT_ASSETS?",
      "line 2: BITGET_PRODUCT_TYPE is not a setting; did you mean BITGET_PRODUCT_TYPES?",
      "line 3: TIME_ZONE is not a setting; did you mean TIMEZONE?",
      "line 4: ALERT_DRAW_DOWN is not a setting; did you mean ALERT_DRAWDOWN?",
      "line 5: BITGET_API_SERCET is not a setting; did you mean BITGET_API_SECRET?",
      "line 6: bitget_api_key must be in capitals: BITGET_API_KEY",
      "line 7: LOGLEVEL is not a setting; did you mean LOG_LEVEL?",
      "line 8: BITGET_SANDBOX is not a setting; .env.example lists all settings",
    ]);
    expect(problemsOf("NODE_EXTRA_CA_CERTS=/etc/ca.pem")).toEqual([
      "line 1: NODE_EXTRA_CA_CERTS has no effect here, because Node.js reads it before this file; set it in the environment",
    ]);
  });

  it.each([
    ["TIMEZOEN", "TIMEZONE"],
    ["LOG_LEVLE", "LOG_LEVEL"],
    ["HTTP_PROT", "HTTP_PORT"],
    ["HTTP_TOKNE", "HTTP_TOKEN"],
    ["HTTPS_PROXI", "HTTPS_PROXY"],
    ["HTTPSPROXY", "HTTPS_PROXY"],
    ["ALL_PROXIES_FILE", null],
    ["ALL_PROXY_FIEL", "ALL_PROXY_FILE"],
    ["NO_PROXYS", "NO_PROXY"],
    ["DATABASE_ULR", "DATABASE_URL"],
  ])("with %s suggests %s", (name, meant) => {
    expect(problemsOf(`${name}=x`)).toEqual(meant ? [`line 1: ${name} is not a setting; did you mean ${meant}?`] : []);
  });

  it("may have names of other programs, of accounts that are not collected, and of proxies", () => {
    const proxies = ["FTP_PROXY", "http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "no_proxy"];
    const names = [
      "COMPOSE_PROJECT_NAME",
      "TZ",
      "SMTP_PORT",
      "PORT",
      "DB_URL",
      "LOG_FILE",
      "DATABASE_USER",
      ...proxies,
    ];
    const accounts = ["BITGET_SUB1_API_KEY", "BITGET_SUB2_API_KEY_FILE", "BITGET_SUB2_API_VERSION"];
    expect(problemsOf([...names, ...accounts].map((name) => `${name}=x`).join("\n"))).toEqual([]);
  });
});

describe("the environment", () => {
  const problem = (name: string, value = "x") => problemsOf("", { [name]: value });

  it("is refused if a name is nearly one of our settings", () => {
    expect(problem("SCHEDULE_POSITION")).toEqual([
      "In the environment, SCHEDULE_POSITION is not a setting; did you mean SCHEDULE_POSITIONS?",
    ]);
    expect(problem("bitget_api_key")).toEqual([
      "In the environment, bitget_api_key must be in capitals: BITGET_API_KEY",
    ]);
    expect(problem("SCHEDULE_POSITION", "")).toEqual([]);
    expect(problemsOf("SCHEDULE_POSITIONS=", { SCHEDULE_POSITION: "x" }).length).toBe(1);
    // Another program's: the setting with a similar name is set.
    expect(problemsOf("BITGET_API_KEY_FILE=key", { BITGET_API_KEYS: "x", BITGET_API_KEY_ID: "x" })).toEqual([]);
  });

  it.each([
    ["TIMZONE", "TIMEZONE"],
    ["TIME_ZONE", "TIMEZONE"],
    ["timezone", "TIMEZONE"],
    ["DATABSE_URL", "DATABASE_URL"],
    ["HTTP_TOKE", "HTTP_TOKEN"],
    ["LOG_LEVL", "LOG_LEVEL"],
    ["HTTPS_PROXI", "HTTPS_PROXY"],
  ])("with %s gives a warning, unless it has %s too", (name, meant) => {
    expect(problem(name)).toEqual([]);
    expect(warnings({ [name]: "x" })).toEqual([`${name} is set but not used by this program; did you mean ${meant}?`]);
    expect(warnings({ [name]: "" })).toEqual([]);
    expect(warnings({ [name]: "x", [meant]: "y" })).toEqual([]);
  });

  it("causes no warning about other names", () => {
    const proxies = ["FTP_PROXY", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "no_proxy", "HTTPS_PROXY_FILE"];
    const others = ["TZ", "PORT", "SMTP_PORT", "LOG_FILE", "DATABASE_USER", "DATABASE_PORT", "HTTP_COOKIE", "LOGNAME"];
    const all = [...proxies, ...others, "BITGET_SANDBOX", "LOG_LEVEL", "HOME", "PATH", "TERM", "HOSTNAME", "LANG"];
    expect(all.flatMap((name) => warnings({ [name]: "x" }))).toEqual([]);
  });

  it.each([
    // Kubernetes describes a service called bitget-collector by such names.
    ...["BITGET_COLLECTOR_SERVICE_HOST", "BITGET_COLLECTOR_PORT_8787_TCP_ADDR", "ALERT_PORT", "DATABASE_PORT"],
    ...[
      "BITGET_SANDBOX",
      "BITGET_API_URL",
      "TIME_ZONE",
      "HTTP_COOKIE",
      "HTTPS_PORT",
      "LOG_LEVELS",
      "NODE_EXTRA_CA_CERTS",
    ],
  ])("may have %s, which is another program's", (name) => {
    expect(problem(name)).toEqual([]);
  });
});

it("a .env that is a folder is refused", () => {
  const directory = temporaryFolder();
  mkdirSync(join(directory, ".env"));
  expect(() => environment(directory, {})).toThrow("cannot be read (EISDIR)");
});

it("a single NUL character is reported with its line, not as another encoding", () => {
  expect(textOf(Buffer.from("A=1\nB=x\0y\n"))).toEqual({
    text: null,
    problem: "has a NUL character in line 2; remove it",
  });
  expect(textOf(Buffer.from("A=1\n", "utf16le")).problem).toMatch(/^is in UTF-16/);
});
