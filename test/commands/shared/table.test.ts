/** Tests alignment and truncation by terminal cells: a Chinese character takes two, a combining accent none. */
import { describe, expect, it } from "vitest";
import { renderInPlace } from "../../../src/commands/read/watch.ts";
import { formatTable } from "../../../src/commands/shared/table.ts";

describe("columns of a table", () => {
  it.each([
    ["Chinese characters", "币安人生", 8],
    ["an emoji", "🚀", 2],
    ["an emoji composed of several", "👨‍👩‍👧", 2],
    ["a combining accent", "Cafe\u0301", 4],
    ["full-width letters", "ＢＴＣ", 6],
    ["Hangul", "코인", 4],
    ["a control character, shown as an escape", "A\u0007", 7],
  ])("are aligned after %s", (_what, name, cells) => {
    const [header = "", first = "", second = ""] = formatTable(
      ["coin", "available"],
      [
        ["USDT-LONG", "1"],
        [name, "2"],
      ],
    );
    expect([header.indexOf("available"), first.indexOf("1")]).toEqual([11, 11]);
    expect(second.slice(0, -1)).toBe(`${name.replace("\u0007", "\\u0007")}${" ".repeat(11 - cells)}`);
  });
});

it("lines are truncated by terminal cells, never within a character", () => {
  const rendered = (text: string, columns: number) =>
    renderInPlace([{ text, tone: "plain" }], { columns, rows: 5 }, false)
      .replace("\u001b[H", "")
      .replace("\u001b[K\u001b[J", "");
  expect(rendered("我踏马来了", 10)).toBe("我踏马来了");
  expect(rendered("我踏马来了", 9)).toBe("我踏马来…");
  expect(rendered("我踏马来了", 8)).toBe("我踏马…");
  expect(rendered("ne\u0301e\u0301", 3)).toBe("ne\u0301e\u0301");
  expect(rendered("ne\u0301e\u0301e", 3)).toBe("ne\u0301…");
});
