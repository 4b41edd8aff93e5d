import { expect, it } from "vitest";
import { fundingAssets } from "../../src/datasets/snapshots/funding-assets.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { btc } from "../reports/kit.ts";
import { collect, failed, minute, start } from "../store/kit.ts";
import { fetchOnce } from "../support/http.ts";
import { startAccounts } from "./account.ts";
import { idle, startSite } from "./site.ts";

/** Returns the text of the state in the header, and of the line above the page. */
async function stateOf(page: string) {
  const text = (html = "") =>
    html
      .replace(/<[^>]*>/g, "")
      .replace(/\s+/g, " ")
      .trim();
  return {
    pill: text(/<a class="pill.*?<\/a>/s.exec(page)?.[0]),
    banner: text(/<div id="banner".*?<\/div>/s.exec(page)?.[0]),
  };
}

it.each([
  ["fresh", idle, "● Up to date, newest data 5 s", /^$/],
  [
    "stopped",
    null,
    "■ Stopped 00:01",
    /^The collector is not running\. The newest data is of 2026-11-01 00:01:00, 5 s ago\. /,
  ],
  [
    "waiting",
    { ...idle, ping: async () => "The disk is full." },
    "▲ Waiting",
    /^The collector is waiting\. The disk is full\. /,
  ],
  [
    "silent",
    { ...idle, ping: () => Promise.reject(new Error()) },
    "▲ Waiting",
    /does not answer; its log may say why\. /,
  ],
])(
  "says in the header whether the collector is %s, and above the page what that means",
  async (_, daemon, pill, banner) => {
    const { site, store, url } = await startSite({ site: { daemon, now: () => start + minute + 5000 } });
    await collect(store, spotAssets, start + minute, {
      snapshots: [{ scope: null, takenAt: start + minute, items: [] }],
    });
    const found = await stateOf(await (await fetchOnce(url)).text());
    expect(found.pill).toBe(pill);
    expect(found.banner).toMatch(banner);
    expect(site.daemon).toBe(daemon);
  },
);

it("names the stale feeds, the oldest first, and why that one is stale", async () => {
  const { record, store, page } = await startAccounts({ minutes: 14 });
  await record(fundingAssets, 0, []);
  for (let at = 1; at <= 14; at += 1)
    await collect(store, fundingAssets, start + at * minute, { failures: [failed("40014", start + at * minute)] });
  await record(spotAssets, 14, [btc("1")]);
  for (const name of ["mix-accounts", "positions", "equity"] as const)
    await store.setSchedule("main", name, null, start + 13 * minute);
  await store.setSchedule("public", "prices", null, start + 13 * minute);
  expect(await stateOf(await page("/balances"))).toEqual({
    pill: "▲ Stale 14 min",
    banner:
      "1 of 2 feeds is stale: main funding-assets (14 min). no answer: 40014. Values are the last known ones. Data health",
  });
  // A chosen date has its own line, and the present state in the header.
  const then = await page("/balances?at=2026-11-01T00:10");
  expect(await stateOf(then)).toEqual({ pill: "▲ Stale 14 min", banner: "" });
  expect(then.match(/class="instant/g)).toHaveLength(1);
});

it("shows the date where the collector stopped on another day", async () => {
  const { record, page, goTo } = await startAccounts({ minutes: 1, daemon: null });
  await record(spotAssets, 1, [btc("1")]);
  goTo(1600);
  expect((await stateOf(await page("/positions"))).pill).toBe("■ Stopped 1 Nov");
});
