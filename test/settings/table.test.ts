import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/settings/config.ts";
import { parseEnvFile } from "../../src/settings/env-syntax.ts";
import { isKnownSetting, isSecretSetting, nameProblem } from "../../src/settings/names.ts";
import { allSettings } from "../../src/settings/table.ts";
import { classic, credentials } from "../support/settings.ts";

describe(".env.example", () => {
  const lines = readFileSync(".env.example", "utf8").replace(/^#(?=[A-Z][A-Z_]+=)/gm, "");
  const { settings, problems } = parseEnvFile(lines);

  it("names every setting once", () => {
    expect(Object.keys(settings)).toEqual(allSettings.map(({ name }) => name));
    expect(new Set(Object.keys(settings)).size).toBe(allSettings.length);
    expect(problems).toEqual([]);
  });

  it("has the same effect with and without its comment signs", () => {
    const keys = credentials(classic);
    expect(loadConfig({ ...settings, ...keys })).toEqual(loadConfig(keys));
  });
});

describe("the table of settings", () => {
  it.each(allSettings.map(({ name, secret }) => ({ name, secret })))("makes $name a known name", ({ name, secret }) => {
    const hasFile = secret !== undefined || allSettings.some((other) => other.name === `${name}_FILE`);
    expect([isKnownSetting(name), isKnownSetting(`${name}_FILE`)]).toEqual([true, hasFile]);
    expect(isSecretSetting(name)).toBe(secret === "always");
    expect(isSecretSetting(name.toLowerCase())).toBe(secret === "always");
  });

  it("defines the settings of every account, and treats its keys as secrets", () => {
    const names = ["KEY", "SECRET", "PASSPHRASE"].map((word) => `BITGET_HEDGE_API_${word}`);
    const all = [...names, ...names.map((name) => `${name}_FILE`), "BITGET_HEDGE_API_VERSION"];
    expect(all.map(nameProblem)).toEqual(all.map(() => null));
    expect(all.filter(isSecretSetting)).toEqual(names);
    expect(nameProblem("BITGET_HEDGE_API_VERSION_FILE")).toContain("is not a setting");
  });
});
