/** Tests that lists of runs and gaps begin with what an index finds, because a history has millions of runs and of snapshots. */
import Database from "better-sqlite3";
import { expect, it, onTestFinished, vi } from "vitest";
import { openHistory } from "../../../src/store/read/open-history.ts";
import { open, temporaryPath } from "../temporary.ts";

/** Returns the first step of the plan of each statement that `read` prepares and that matches. */
async function firstSteps(read: (history: ReturnType<typeof openHistory>) => unknown, matching: RegExp) {
  const path = temporaryPath();
  (await open(path)).close();
  const prepare = vi.spyOn(Database.prototype, "prepare");
  onTestFinished(() => prepare.mockRestore());
  const history = openHistory(path);
  read(history);
  history.close();
  const texts = prepare.mock.calls.map(([text]) => text);
  const database = new Database(path, { readonly: true });
  onTestFinished(() => void database.close());
  return texts
    .filter((text) => matching.test(text))
    .map((text) => {
      const parameters = Object.fromEntries((text.match(/@\w+/g) ?? []).map((name) => [name.slice(1), null]));
      const steps = database.prepare(`explain query plan ${text}`).all(parameters) as { detail: string }[];
      return steps.find(({ detail }) => /^(SCAN|SEARCH)/.test(detail))?.detail;
    });
}

it("searches for runs of a kind that no index has among the newest", async () => {
  const query = { accounts: ["main"], filter: "partial" as const, at: 0, limit: 10 };
  expect(await firstSteps((history) => history.runs(query), /from run r/)).toEqual([
    "SEARCH r USING INTEGER PRIMARY KEY (rowid>?)",
  ]);
});

it("looks for missing records in what is recorded of reading them, not in all snapshots", async () => {
  const read = (history: ReturnType<typeof openHistory>) => [...history.gaps(null, { from: 0, to: 1 })];
  expect(await firstSteps(read, /from reading g/)).toEqual(["SCAN g"]);
});
