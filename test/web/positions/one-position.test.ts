/** The page of one position: its state, what happened to it, and the rows in which more than the mark price changed. */
import { parse } from "csv-parse/sync";
import { expect, it, onTestFinished } from "vitest";
import { positions } from "../../../src/datasets/snapshots/positions.ts";
import { serve } from "../../../src/web/server.ts";
import { openSite } from "../../../src/web/site.ts";
import { createWorld } from "../../support/world.ts";
import { startAccounts } from "../account.ts";
import { idle } from "../site.ts";

const part = (page: string, id: string): string => new RegExp(`id="${id}"[\\s\\S]*?</section>`).exec(page)?.[0] ?? "";
const key = "account=main&product_type=umcbl&symbol=BTCUSDT&margin_coin=USDT&hold_side=long&margin_mode=crossed";
const textOf = (html: string): string => html.replace(/<[^>]*>/g, "").replace(/\s+/g, " ");

const held = {
  ...{ symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed", leverage: "3" },
  ...{ margin: "40.25", unrealizedPlr: "-0.05", liquidationPrice: "80", achievedProfits: "0" },
};
const at = (minutes: number) => Date.UTC(2026, 10, 1) + minutes * 60_000;

/** Starts the pages of a position that is opened, added to, and reduced, minute by minute; the mark price alone moves in between. */
async function startLife() {
  const site = await startAccounts({ minutes: 9 });
  const states = [
    { total: "1", averageOpenPrice: "100", markPrice: "100", unrealizedPl: "0" },
    { total: "1", averageOpenPrice: "100", markPrice: "98.5", unrealizedPl: "-1.5" },
    { total: "3", averageOpenPrice: "99", markPrice: "98.5", unrealizedPl: "-1.500000000000000000001" },
    { total: "3", averageOpenPrice: "99", markPrice: "103", unrealizedPl: "12" },
    { total: "0.5", averageOpenPrice: "99", markPrice: "103", unrealizedPl: "2", achievedProfits: "10.125" },
  ];
  for (const [minute, state] of states.entries())
    await site.record(positions, minute + 1, [{ ...held, ...state, openedAt: at(1) }], "main", "umcbl");
  return site;
}

it("says in a line what it is, and in six tiles what it is worth and risks", async () => {
  const { page, goTo } = await startLife();
  goTo(6);
  const shown = part(await page(`/position?${key}`), "summary");
  expect(textOf(shown)).toContain("Open 5 min · Cross 3× · USDT-M · main");
  expect(shown.match(/<li>/g)).toHaveLength(6);
  for (const [label, value] of [
    ["Size", "0.5"],
    ["Mark", "103"],
    ["Unrealised PnL", "2"],
    ["Liquidation", "80"],
    ["Margin", "40.25"],
    ["Realised PnL", "10.125"],
  ])
    expect(shown).toMatch(
      new RegExp(`class="label">${label}</span>\\s*<span class="value"><data[^>]* value="${value}"`),
    );
  expect(textOf(shown)).toContain("largest 3");
});

it("lists what happened to it, newest first, with the digits of each change", async () => {
  const { json, page, goTo } = await startLife();
  const { rows } = await json(`/api/events?${key}`);
  expect(rows).toMatchObject([
    { event: "reduced", size_change: "-2.5", total: "0.5", realized_pl: "10.125", ledger_change: null },
    { event: "added", size_change: "2", total: "3", average_open_price: "99", realized_pl: null },
    { event: "opened", at: "2026-11-01T00:01:00.000Z", size_change: "1", total: "1", average_open_price: "100" },
  ]);
  expect(rows[0]).toMatchObject({ at: "2026-11-01T00:05:00.000Z", after: null });
  goTo(4);
  expect(textOf(part(await page(`/position?${key}`), "events"))).not.toContain("reduced");
});

it("shows the rows in which more than the mark price changed, and all of them on request", async () => {
  const { page, request } = await startLife();
  const rowsOf = (shown: string) => part(shown, "position").match(/<tr role="row"><td/g)?.length;
  const few = await page(`/position?${key}`);
  expect(rowsOf(few)).toBe(3);
  expect(part(few, "position")).toMatch(/href="position\?[^"]*show=all#position">Show all/);
  expect(rowsOf(await page(`/position?${key}&show=all`))).toBe(5);
  const csvOf = async (shown: string) => {
    const link = /href="(api\/position\.csv[^"]*)"/.exec(shown)?.[1]?.replaceAll("&amp;", "&") ?? "";
    return parse(await (await request(`/${link}`)).text(), { columns: true }) as Record<string, string>[];
  };
  expect((await csvOf(few)).map(({ unrealized_pl }) => unrealized_pl)).toEqual(["2", "-1.500000000000000000001", "0"]);
  expect(await csvOf(await page(`/position?${key}&show=all`))).toHaveLength(5);
  // Every digit is there on request.
  expect(part(await page(`/position?${key}&digits=all`), "position")).toContain(">−1.500000000000000000001<");
});

it("tells a close from an end that nobody saw", async () => {
  const { record, page, json } = await startLife();
  await record(positions, 7, [], "main", "umcbl");
  const closed = await page(`/position?${key}`);
  expect(textOf(part(closed, "summary"))).toContain(
    "Closed between 2026-11-01 00:05:00 and 2026-11-01 00:07:00 · held ≥ 4 min",
  );
  const [last] = (await json(`/api/events?${key}`)).rows;
  expect(last).toMatchObject({ event: "closed", after: "2026-11-01T00:05:00.000Z", size_change: "-0.5", total: "0" });
  expect(last).toMatchObject({ realized_pl: null, ledger_change: null });
  // As of an instant before the close it is open.
  expect(textOf(part(await page(`/position?${key}&at=2026-11-01T00:06`), "summary"))).toContain("Open 5 min");
});

it("draws mark, entry, liquidation, size and profit, and breaks every line in a gap", async () => {
  const { record, json, goTo } = await startLife();
  await record(positions, 8, [{ ...held, total: "0.5", markPrice: "104", liquidationPrice: "0" }], "main", "umcbl");
  goTo(9);
  const lines = "unrealized_pl,mark_price,average_open_price,liquidation_price,size";
  const curve = await json(`/api/curve?of=position&${key}&lines=${lines}&from=${at(4)}`);
  const shown = (name: string) =>
    curve.lines.find((line: { name: string }) => line.name === name).values.slice(0, 4) as (string | null)[];
  expect(shown("size")).toEqual(["3", "0.5", null, "0.5"]);
  expect(shown("mark_price")).toEqual(["103", "103", null, "104"]);
  // A liquidation price of zero is none.
  expect(shown("liquidation_price")).toEqual(["80", "80", null, null]);
});

it("has what the exchange's ledger says of each event, to the last digit", async () => {
  const hour = 3_600_000;
  const start = Date.parse("2026-10-20T10:00:00Z");
  const schedule = "*/30 * * * *";
  const world = await createWorld(
    "2026-10-20T09:59:30Z",
    { SCHEDULE_POSITIONS: schedule, SCHEDULE_CLOSED_POSITIONS: schedule, SCHEDULE_BILLS: schedule },
    { from: start - 12 * hour, habits: { hasCashFlows: true, activity: 48 } },
  );
  for (let time = start; time <= start + 4 * hour; time += hour / 2) await world.at(time);
  const site = openSite({ databasePath: world.path, timezone: "UTC", sqlTimeoutSeconds: 10 }, idle);
  const place = { host: "127.0.0.1", port: 0, token: null, names: [] };
  const { url, close } = await serve({ ...site, now: () => world.clock.now() }, place, (problem) => {
    throw problem;
  });
  onTestFinished(() => {
    close();
    site.close();
  });
  const json = async (path: string) => (await fetch(new URL(path, url))).json() as Promise<{ rows: Row[] }>;
  const names = ["account", "product_type", "symbol", "margin_coin", "hold_side", "margin_mode", "first_seen_at"];
  const closed = (await json("/api/episodes")).rows.filter((row) => row.closed_at && row.first_seen_at);
  let found = 0;
  for (const row of closed) {
    const query = new URLSearchParams(Object.fromEntries(names.map((name) => [name, String(row[name])])));
    const { rows } = await json(`/api/events?${query}`);
    expect(["closed", "liquidated"]).toContain(rows[0]?.event);
    expect(rows[0]?.at).toBe(row.closed_at);
    const [bill] = world.rows(
      `select change from bills where account = '${row.account}' and symbol = '${row.symbol}' and at = '${row.closed_at}'
       and type like '%close%${row.hold_side}'`,
    ) as Row[];
    const trades = world.rows(
      `select count(*) as n from bills where account = '${row.account}' and symbol = '${row.symbol}'
       and at > '${row.last_seen_at}' and at <= '${row.closed_at}' and type like '%close%${row.hold_side}'`,
    ) as Row[];
    if (!bill || Number(trades[0]?.n) !== 1) continue;
    found += 1;
    expect(rows[0]?.ledger_change).toBe(bill.change);
  }
  expect(found).toBeGreaterThan(0);
});

type Row = Record<string, string | number | null>;
