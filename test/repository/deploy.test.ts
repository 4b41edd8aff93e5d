/** Checks the files in `deploy/` with the tools that read them, where these are installed, and for required settings. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { temporaryFolder } from "../support/files.ts";

const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

describe("the systemd unit", () => {
  const unit = readFileSync("deploy/systemd/bitget-collector.service", "utf8");

  it.skipIf(!hasSystemd)("is valid for systemd-analyze, with an exposure score of at most 20 of 100", () => {
    // The program is not installed at the path in the unit.
    const path = join(temporaryFolder(), "bitget-collector.service");
    writeFileSync(path, unit.replace("/usr/local/bin/bitget-collector start", "/bin/true"));
    const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" });
    expect([status, stdout, stderr]).toEqual([0, "", ""]);
    // The exposure is between 0 (fully restricted) and 100 (unrestricted).
    execFileSync("systemd-analyze", ["security", "--offline=yes", "--threshold=20", path], { stdio: "ignore" });
  });

  it("has no time limit for migrations at the start", () => {
    expect(unit).toMatch(/^Type=notify$/m);
    expect(unit).toMatch(/^TimeoutStartSec=infinity$/m);
  });

  it("passes keys as credentials, none in the environment", () => {
    expect(unit).not.toMatch(/^Environment=.*(KEY|SECRET|PASSPHRASE)=/m);
    expect(unit.match(/^LoadCredential=/gm)).toHaveLength(3);
  });
});

describe("the image", () => {
  const lines = readFileSync("deploy/docker/Dockerfile", "utf8").split("\n");
  const last = (word: string) => lines.findLast((line) => line.startsWith(`${word} `));

  it("is built in two stages, runs without root, and has a health check", () => {
    expect(lines.filter((line) => line.startsWith("FROM "))).toHaveLength(2);
    expect(last("USER")).toBe("USER node");
    expect(last("HEALTHCHECK")).toContain('"status"');
    expect(last("STOPSIGNAL")).toBe("STOPSIGNAL SIGTERM");
  });

  it("copies only files that exist, and no settings", () => {
    const copied = lines
      .filter((line) => /^COPY (?!--from)/.test(line))
      .flatMap((line) => line.split(" ").slice(1, -1));
    expect(copied.filter((path) => !existsSync(path))).toEqual([]);
    expect(readFileSync(".dockerignore", "utf8").split("\n")).toEqual(expect.arrayContaining([".env", "data", ".git"]));
  });
});

describe("the compose file", () => {
  const { services, secrets } = parse(readFileSync("deploy/docker/compose.yaml", "utf8"));

  it("restricts the container, and gives it time to stop", () => {
    expect(services.collector).toMatchObject({
      read_only: true,
      cap_drop: ["ALL"],
      restart: "unless-stopped",
      stop_grace_period: "15s",
      volumes: ["history:/data"],
    });
    expect(services.collector.ports).toBeUndefined();
  });

  it("passes every key as a file", () => {
    expect(services.collector.secrets).toEqual(Object.keys(secrets));
    const settings = Object.keys(services.collector.environment).filter((name) => name.startsWith("BITGET_"));
    expect(settings.every((name) => name.endsWith("_FILE"))).toBe(true);
    expect(
      existsSync(join("deploy/docker", services.collector.build.context, services.collector.build.dockerfile)),
    ).toBe(true);
  });
});
