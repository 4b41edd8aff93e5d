/** Tables in a terminal, whose cells are counted by hand: a letter of Chinese takes two, one that joins another none. */
import { describe, expect, it } from "vitest";
import { renderInPlace } from "../../../src/commands/read/watch.ts";
import { formatTable } from "../../../src/commands/shared/table.ts";

describe("columns of a table", () => {
  it.each([
    ["letters of Chinese", "币安人生", 8],
    ["an emoji", "🚀", 2],
    ["a family, one emoji of several", "👨‍👩‍👧", 2],
    ["an accent of its own", "Cafe\u0301", 4],
    ["letters of full width", "ＢＴＣ", 6],
    ["Hangul", "코인", 4],
    ["a control character, which is shown", "A\u0007", 7],
  ])("begin in the same cell behind %s", (_what, name, cells) => {
    const [head = "", first = "", second = ""] = formatTable(
      ["coin", "available"],
      [
        ["USDT-LONG", "1"],
        [name, "2"],
      ],
    );
    expect([head.indexOf("available"), first.indexOf("1")]).toEqual([11, 11]);
    expect(second.slice(0, -1)).toBe(`${name.replace("\u0007", "\\u0007")}${" ".repeat(11 - cells)}`);
  });
});

it("a screen cuts lines by the cells they take, and no letter in two", () => {
  const drawn = (text: string, columns: number) =>
    renderInPlace([{ text, tone: "plain" }], { columns, rows: 5 }, false)
      .replace("\u001b[H", "")
      .replace("\u001b[K\u001b[J", "");
  expect(drawn("我踏马来了", 10)).toBe("我踏马来了");
  expect(drawn("我踏马来了", 9)).toBe("我踏马来…");
  expect(drawn("我踏马来了", 8)).toBe("我踏马…");
  expect(drawn("ne\u0301e\u0301", 3)).toBe("ne\u0301e\u0301");
  expect(drawn("ne\u0301e\u0301e", 3)).toBe("ne\u0301…");
});
