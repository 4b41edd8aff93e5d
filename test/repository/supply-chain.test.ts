/** Checks that dependencies are locked, come from the registry, and run no unexpected install script. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Lockfile, type Manifest, supplyChainProblems } from "../support/lockfile.ts";

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const lockfile = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lockfile;

/** Returns the lockfile with one package changed. */
const changed = (path: string, change: object): Lockfile => ({
  ...lockfile,
  packages: { ...lockfile.packages, [path]: { ...lockfile.packages[path], ...change } },
});

it("the lockfile pins every package from the registry by its integrity", () => {
  expect(supplyChainProblems(manifest, lockfile)).toEqual([]);
});

it("only one package may run an install script", () => {
  expect(manifest.allowScripts).toEqual({ "better-sqlite3": true, esbuild: false });
});

it("the package itself has no install script", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([]);
});

describe("the check", () => {
  const got = "node_modules/got";
  it.each<[string, Manifest, Lockfile, string]>([
    ["a package without integrity", manifest, changed(got, { integrity: undefined }), `${got} has no integrity`],
    [
      "a weaker integrity",
      manifest,
      changed(got, { integrity: "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" }),
      `${got} has no integrity`,
    ],
    [
      "a URL instead of the registry",
      manifest,
      changed(got, { resolved: "https://evil.example/got.tgz" }),
      `${got} does not come from the registry`,
    ],
    ["a link", manifest, changed(got, { link: true }), `${got} does not come from the registry`],
    [
      "another install script",
      manifest,
      changed(got, { hasInstallScript: true }),
      "got has an install script that allowScripts does not list",
    ],
    [
      "an install script of an indirect dependency",
      manifest,
      changed(`${got}/node_modules/deep`, { ...lockfile.packages[got], hasInstallScript: true }),
      "deep has an install script that allowScripts does not list",
    ],
    [
      "an allowScripts entry that is no longer needed",
      { ...manifest, allowScripts: { ...manifest.allowScripts, pino: true } },
      lockfile,
      "pino is listed in allowScripts",
    ],
    ...["*", "latest", ">=14", "https://evil.example/got.tgz", "github:evil/got", "file:../got", "npm:evil@1.0.0"].map(
      (wanted): [string, Manifest, Lockfile, string] => [
        `got wanted as ${wanted}`,
        { ...manifest, dependencies: { ...manifest.dependencies, got: wanted } },
        lockfile,
        `got is wanted as ${wanted}, which pins nothing`,
      ],
    ),
    [
      "a package that the lockfile does not have",
      { ...manifest, dependencies: { ...manifest.dependencies, gott: "1.0.0" } },
      lockfile,
      "gott is not locked",
    ],
    [
      "a package that only the lockfile has",
      manifest,
      changed("", { dependencies: { ...lockfile.packages[""]?.dependencies, gott: "1.0.0" } }),
      "gott is locked, but no longer wanted",
    ],
  ])("finds %s", (_what, wanted, locked, problem) => {
    expect(supplyChainProblems(wanted, locked)).toContainEqual(expect.stringContaining(problem));
  });
});
