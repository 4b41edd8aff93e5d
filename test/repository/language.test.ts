import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Words and phrases of the private dialect that the code and its documentation were once written in; docs/concepts/glossary.md has the terms to use instead. */
const banned: readonly RegExp[] = [
  // A person where English names the thing, or no thing at all.
  /\b(nobody|somebody|everybody|whoever|whosoever)\b/,
  /\bwho (collects?|dies)\b/,
  /\b(has|have|had) (its|their|a) turn\b/,
  /\bours alone\b/,
  // "response", "reported", "sent", "states", "request".
  /\b(told|tells?|telling)\b/,
  /\b(said|hears?|heard)\b/,
  /\banswers? as (they|it) came\b/,
  /\bspeaks? v?\d/,
  // "error", "failure", "fixed".
  /\b(troubles?|mend(s|ed|able|ing)?)\b/,
  // "again", "recompute", "re-parse".
  /\banew\b/,
  // "API version", "product type", "manual run", "requested".
  /\b(generations?|product lines?|on demand|(is|are|was|were) asked)\b/,
  // "trigger", "downtime", "outcome", "deferred write", "position lifecycle", "orphaned".
  /\b(occasions?|lapsed?|fates?|owed|owes|lives|livesOf|forsaken|thereof)\b/,
  /\b(became|becomes?) of\b/,
  // Idioms that need their author.
  /\b(at hand|as rough as|of its own making|for good|goes on|gone by|so many|wavers?|nicer)\b/,
  // Old texts of pages, help and messages.
  /\b(as it stood|back to now|end of yesterday|what it was|drawn anew|for trying things out|made-up)\b/,
  /\b(nothing is wrong that|there is nothing here|is no instant|cannot be chosen by|exclude each other|say before when|this cannot start|all as received|may write)\b/,
];

/** Lines that may contain such a word, each with its reason. An entry that is no longer needed fails the test. */
const exceptions: readonly { file: string; text: string; reason: string }[] = [
  ...[
    ["src/web/data/health/collection.ts", 'text("trouble"'],
    ["src/web/data/health/collection.ts", "trouble: unwritten"],
    ["src/web/pages/health/feeds.ts", "trouble"],
    ["docs/reference/http-api.md", "| `trouble` |"],
  ].map(([file = "", text = ""]) => ({ file, text, reason: "a field of the HTTP API" })),
  { file: "src/web/daemon-state.ts", text: '"nobody collects"', reason: "a state in the JSON of /healthz" },
];

/** Returns every line of the project's prose and code with the path and number of the line; of the changelog only what is not released. */
function lines(): { file: string; number: number; text: string }[] {
  const listed = execFileSync("git", ["ls-files", "-z", "src", "docs", "*.md", ".env.example"], { encoding: "utf8" });
  const files = listed.split("\0").filter((file) => /\.(ts|js|css|html|md|sql)$|^\.env\.example$/.test(file));
  return files.flatMap((file) => {
    const text = readFileSync(file, "utf8");
    const kept = file === "CHANGELOG.md" ? (text.split(/^## (?!Unreleased)/m)[0] ?? "") : text;
    return kept.split("\n").map((line, index) => ({ file, number: index + 1, text: line }));
  });
}

/** Separates the words of a camel-case name, so that names are read like prose. */
const words = (line: string) => line.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();

test("no line of code, help, pages or documentation uses a word of the private dialect", () => {
  const used = new Set<object>();
  const found = lines().filter(({ file, text }) => {
    if (!banned.some((pattern) => pattern.test(words(text)))) return false;
    const exception = exceptions.find((one) => one.file === file && text.includes(one.text));
    if (exception) used.add(exception);
    return !exception;
  });
  expect(found.map(({ file, number, text }) => `${file}:${number}: ${text.trim()}`)).toEqual([]);
  expect(
    exceptions.filter((exception) => !used.has(exception)),
    "exceptions that are no longer needed",
  ).toEqual([]);
});
