/** The places of a process for its runs, and in which order those that wait get one. */
import { expect, it } from "vitest";
import { RunPlaces } from "../../../src/collecting/sharing/run-places.ts";

/** Each account takes places as often as it is named; those that got one end in this order. Returns the order in which they got one. */
async function served(places: number, accounts: readonly string[]): Promise<string[]> {
  const all = new RunPlaces(places);
  const got: string[] = [];
  const running: (() => void)[] = [];
  for (const account of accounts)
    void all.take(account).then((release) => {
      got.push(account);
      running.push(release);
    });
  for (let ended = 0; ended < accounts.length; ended++) {
    await new Promise(setImmediate);
    expect(running.length).toBeLessThanOrEqual(places);
    running.shift()?.();
  }
  return got;
}

it.each([
  ["in their order where there is room for all", 9, "a a a b c", "a a a b c"],
  ["one account after the other where there is not", 1, "a a a a b b c", "a a b c a b a"],
  ["an account that comes later does not wait for all of another one", 2, "a a a a a b", "a a a b a a"],
  ["the runs of one account in their order", 1, "a b a b a b", "a b a b a b"],
])("%s", async (_what, places, accounts, expected) => {
  expect((await served(places, accounts.split(" "))).join(" ")).toBe(expected);
});

it("a place that is free again is given to whoever comes next", async () => {
  const places = new RunPlaces(1);
  const release = await places.take("a");
  release();
  (await places.take("b"))();
  const last = await places.take("c");
  let isServed = false;
  const next = places.take("d").then(() => {
    isServed = true;
  });
  await new Promise(setImmediate);
  expect(isServed).toBe(false);
  last();
  await next;
});
