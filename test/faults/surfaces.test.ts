/** Faults at the surfaces (commands, files, HTTP, logs): rows U1 to U15. */
import "./surfaces-commands.ts";
import "./surfaces-files.ts";
import "./surfaces-console.ts";
import "./surfaces-http.ts";
import "./surfaces-load.ts";
import "./surfaces-secrets.ts";
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type Lockfile, type Manifest, supplyChainProblems } from "../support/lockfile.ts";
import { row } from "./row.ts";

// The check itself runs with the other tests, in supply-chain.test.ts.
row("U14", "lockfile edited; package without integrity; another install script; unpinned range", {}, async () => {
  const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
  const lockfile = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lockfile;
  const got = "node_modules/got";
  const withGot = (change: object): Lockfile => ({
    ...lockfile,
    packages: { ...lockfile.packages, [got]: { ...lockfile.packages[got], ...change } },
  });
  const unpinned = { ...manifest, dependencies: { ...manifest.dependencies, got: "*" } };
  expect(supplyChainProblems(manifest, lockfile)).toEqual([]);
  expect(supplyChainProblems(manifest, withGot({ integrity: undefined }))).toEqual([`${got} has no integrity`]);
  expect(supplyChainProblems(manifest, withGot({ resolved: "https://evil.example" }))).toEqual([
    `${got} does not come from the registry`,
  ]);
  expect(supplyChainProblems(manifest, withGot({ hasInstallScript: true }))).toEqual([
    "got has an install script that allowScripts does not list",
  ]);
  expect(supplyChainProblems(unpinned, lockfile)).toEqual([
    "got is wanted as *, which pins nothing",
    "got is wanted as *, but not in the lockfile",
  ]);
});
