/** Many open positions: a page of them at a time, totals and CSV over all. */
import { parse } from "csv-parse/sync";
import { expect, it } from "vitest";
import { positions } from "../../../src/datasets/snapshots/positions.ts";
import { startAccounts } from "../account.ts";

const part = (page: string, id: string): string => new RegExp(`id="${id}"[\\s\\S]*?</section>`).exec(page)?.[0] ?? "";

const held = (number: number) => ({
  ...{ symbol: `C${number}USDT`, marginCoin: "USDT", holdSide: number % 2 ? "long" : "short", marginMode: "crossed" },
  ...{ total: "2", leverage: "5", averageOpenPrice: "100", markPrice: "100", unrealizedPl: "1.25", margin: "40" },
  // The farther, the greater the number.
  liquidationPrice: String(100 + number),
});

async function startMany(count: number) {
  const site = await startAccounts({ minutes: 2 });
  await site.record(
    positions,
    2,
    Array.from({ length: count }, (_, at) => held(at + 1)),
    "main",
    "umcbl",
  );
  return site;
}

const symbolsIn = (table: string): string[] =>
  [...(/<tbody[\s\S]*<\/tbody>/.exec(table)?.[0] ?? "").matchAll(/>(C\d+USDT)</g)].map(([, symbol = ""]) => symbol);

it("shows 25 open positions a page, the nearest to liquidation first, with the totals and the CSV of all", async () => {
  const { page, request } = await startMany(30);
  const first = part(await page("/positions"), "positions");
  expect(symbolsIn(first)).toEqual(Array.from({ length: 25 }, (_, at) => `C${at + 1}USDT`));
  expect(first).toContain("<span>1 to 25 of 30</span>");
  expect(first).not.toContain('rel="prev"');
  expect(first).toContain('rel="next" href="positions?open_page=2#positions"');
  const second = part(await page("/positions?open_page=2&sort=net"), "positions");
  expect(symbolsIn(second)).toEqual(["C26USDT", "C27USDT", "C28USDT", "C29USDT", "C30USDT"]);
  // The rest of the address stays.
  expect(second).toContain('rel="prev" href="positions?sort=net#positions"');
  expect(second).not.toContain('rel="next"');
  for (const table of [first, second]) {
    const totals = /<tfoot[\s\S]*<\/tfoot>/.exec(table)?.[0] ?? "";
    expect(totals).toContain("30 positions");
    for (const value of ["37.5", "1200"]) expect(totals).toContain(`value="${value}"`);
    // Without a price of USDT, what they are worth is known all the same.
    expect(totals).toContain('value="6000"');
    expect(table).toContain("CSV of these 30<");
  }
  const csv = parse(await (await request("/api/positions.csv")).text(), { columns: true });
  expect(csv).toHaveLength(30);
});

it("shows the last page beyond it, and says so", async () => {
  const { page } = await startMany(30);
  const shown = part(await page("/positions?open_page=9"), "positions");
  expect(symbolsIn(shown)).toHaveLength(5);
  expect(shown).toContain("There is no page 9; this is the last one.");
});

it("has no pages nor totals for one position, and the age of all in the caption", async () => {
  const { page, goTo } = await startMany(1);
  const one = part(await page("/positions"), "positions");
  expect(one).not.toContain("<tfoot");
  expect(one).not.toContain('class="pager"');
  const many = await startMany(3);
  many.goTo(20);
  const old = part(await many.page("/positions"), "positions");
  expect(old.match(/class="age"/g)).toHaveLength(1);
  expect(/<h2[\s\S]*<\/h2>/.exec(old)?.[0]).toContain("18 min ago");
  expect(/<tfoot[\s\S]*<\/tfoot>/.exec(old)?.[0]).toContain('class="last-known"');
  goTo(20);
  expect(part(await page("/positions"), "positions")).toContain("18 min ago");
});

it("leaves out columns in a narrow window, but none that was chosen", async () => {
  const { page } = await startMany(1);
  const head = async (query: string) =>
    /<thead[\s\S]*?<\/thead>/.exec(part(await page(`/positions${query}`), "positions"))?.[0];
  expect(await head("")).toMatch(/<th [^>]*\bwide"[^>]*>Funding/);
  expect(await head("?open_cols=total_funding")).toMatch(/<th [^>]*"number"[^>]*>Funding/);
});
