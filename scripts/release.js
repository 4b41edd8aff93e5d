// npm run release -- 0.2.0: turns the "Unreleased" section of the changelog into that release, and commits and tags it.
// It fails without changes to release, on a dirty tree, and for a version that does not follow the last. It pushes nothing.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const git = (...args) => execFileSync("git", args, { encoding: "utf8" }).trim();
const refuse = (problem) => {
  console.error(`Nothing was released: ${problem}`);
  process.exit(1);
};

const [version = ""] = process.argv.slice(2);
const numbers = (text) => /^(\d+)\.(\d+)\.(\d+)$/.exec(text)?.slice(1).map(BigInt);
/** Returns whether `next` follows `last`; the same version is accepted if it was never tagged. */
const follows = (next, last) => {
  const at = next.findIndex((number, index) => number !== last[index]);
  return at < 0 ? git("tag", "--list", `v${version}`) === "" : next[at] > last[at];
};

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const next = numbers(version);
if (!next) refuse("name a version such as 0.2.0.");
if (!follows(next, numbers(manifest.version))) refuse(`${version} does not follow ${manifest.version}.`);
if (git("status", "--porcelain") !== "") refuse("the work tree has changes. Commit them or put them away first.");

const changelog = readFileSync("CHANGELOG.md", "utf8");
const [, before, changes, after] = /^([\s\S]*?)## Unreleased\n([\s\S]*?)(?=\n## |$)([\s\S]*)$/.exec(changelog) ?? [];
if (!changes?.trim()) refuse('the section "Unreleased" of CHANGELOG.md is missing or empty.');

const today = new Date().toISOString().slice(0, 10);
const released = `${before}## Unreleased\n\n## ${version} (${today})\n${changes}${after}`;
writeFileSync("CHANGELOG.md", released);
execFileSync("npm", ["version", version, "--no-git-tag-version", "--allow-same-version"], { stdio: "pipe" });
git("commit", "--all", "--message", `release: ${version}`);
git("tag", "--annotate", `v${version}`, "--message", version);
console.log(`Committed and tagged v${version}. Next: run .ci/run, then git push --follow-tags and npm publish.`);
