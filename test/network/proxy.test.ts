import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { redactor } from "../../src/core/text.ts";
import { noProxy, readProxySettings, routeText } from "../../src/network/proxy.ts";
import { loadConfig, secretsOf } from "../../src/settings/config.ts";
import { environment, secretsIn } from "../../src/settings/env-file.ts";
import { temporaryFolder } from "../support/files.ts";
import { classic, credentials } from "../support/settings.ts";

const exchange = "https://api.bitget.com";
const good = credentials(classic);

function read(env: Record<string, string>) {
  const problems: string[] = [];
  const settings = readProxySettings(
    (name) => env[name] ?? "",
    (name, problem) => void problems.push(`${name} ${problem}`),
  );
  return { settings, problems };
}

const textFor = (env: Record<string, string>, address = exchange) => routeText(address, read(env).settings);

describe("the proxy", () => {
  it.each<[Record<string, string>, string | null]>([
    [{}, null],
    [{ HTTPS_PROXY: "http://p.example:3128" }, "api.bitget.com is reached through p.example:3128 (HTTPS_PROXY)"],
    [
      { https_proxy: "http://l.example", HTTPS_PROXY: "http://u.example" },
      "api.bitget.com is reached through l.example (https_proxy)",
    ],
    [
      { HTTPS_PROXY: "", ALL_PROXY: "socks5h://p.example:1080" },
      "api.bitget.com is reached through p.example:1080 (ALL_PROXY)",
    ],
    [{ HTTPS_PROXY: "p.example:3128" }, "api.bitget.com is reached through p.example:3128 (HTTPS_PROXY)"],
    [
      { HTTPS_PROXY: "http://me:pass-word@p.example:3128" },
      "api.bitget.com is reached through p.example:3128 (HTTPS_PROXY)",
    ],
    [
      { HTTP_PROXY: "http://p.example" },
      "HTTP_PROXY is not used: it is for http:// addresses; HTTPS_PROXY is for api.bitget.com",
    ],
  ])("of %j is %j", (env, text) => {
    expect(textFor(env)).toBe(text);
  });

  it.each([
    ["api.bitget.com", true],
    ["bitget.com", true],
    [".bitget.com", true],
    ["*.bitget.com", true],
    ["localhost, API.BITGET.COM", true],
    ["localhost api.bitget.com:443", true],
    ["*", true],
    ["api.bitget.com:8443", false],
    ["get.com", false],
    ["example.com,", false],
    ["", false],
  ])("is not used with NO_PROXY=%s: %s", (NO_PROXY, isDirect) => {
    const why = "HTTPS_PROXY is not used for api.bitget.com: NO_PROXY names it";
    const text = textFor({ HTTPS_PROXY: "http://p.example", NO_PROXY });
    expect(text === why).toBe(isDirect);
  });

  it("is not used for this machine itself", () => {
    for (const address of ["http://127.0.0.1:80", "https://localhost", "https://[::1]:8443", "https://127.8.0.1"])
      expect(textFor({ HTTPS_PROXY: "http://p.example" }, address)).toContain("it is this machine itself");
  });

  it.each(["ftp://p.example", "http://", "http://p.example/path", "http://me:pa#ss-word@p.example:3128", "::"])(
    "%s is refused without its value",
    (HTTPS_PROXY) => {
      const { settings, problems } = read({ HTTPS_PROXY });
      expect(settings).toEqual(noProxy);
      expect(problems).toEqual([
        "HTTPS_PROXY must be the address of a proxy, as in http://proxy.example:3128 or socks5h://proxy.example:1080; write #, @ and / in a password as %23, %40 and %2F",
      ]);
    },
  );

  it.each(["http://me:pass%2Fword-1@p.example:3128", "me:pass%2Fword-1@p.example:3128"])(
    "keeps the password of %s out of every text",
    (HTTPS_PROXY) => {
      const texts = ["pass%2Fword-1", "pass/word-1", Buffer.from("me:pass/word-1").toString("base64")];
      const config = loadConfig({ ...good, HTTPS_PROXY });
      for (const secrets of [secretsOf(config), secretsIn({ HTTPS_PROXY })])
        for (const text of texts) expect(redactor(secrets)(`<${text}>`)).toBe("<[secret]>");
      expect(JSON.stringify(config.proxy)).not.toMatch(/word/);
    },
  );

  it.each(["HTTPS_PROXY", "ALL_PROXY"])("may be in the file that %s_FILE names, which is a secret", (setting) => {
    const file = join(temporaryFolder(), "proxy");
    writeFileSync(file, "http://me:pass%2Fword-1@p.example:3128\n");
    const env = { [`${setting}_FILE`]: file };
    const config = loadConfig({ ...good, ...env });
    expect(routeText(exchange, config.proxy)).toBe(`api.bitget.com is reached through p.example:3128 (${setting})`);
    for (const secrets of [secretsOf(config), secretsIn(env)])
      expect(redactor(secrets)("<pass/word-1>")).toBe("<[secret]>");
    expect(() => loadConfig({ ...good, ...env, [setting]: "http://other.example" })).toThrow(
      `${setting} and ${setting}_FILE are both set; keep one`,
    );
    expect(() => loadConfig({ ...good, [`${setting}_FILE`]: `${file}.none` })).toThrow(
      `${setting}_FILE names a file that cannot be read (ENOENT)`,
    );
  });

  it("with a password requires .env to be unreadable for other users", () => {
    const directory = temporaryFolder();
    writeFileSync(join(directory, ".env"), "HTTPS_PROXY=http://me:password@p.example\n", { mode: 0o644 });
    expect(() => environment(directory, {})).toThrow(ConfigError);
    writeFileSync(join(directory, ".env"), "HTTPS_PROXY=http://p.example\n");
    expect(environment(directory, {}).HTTPS_PROXY).toBe("http://p.example");
  });
});
