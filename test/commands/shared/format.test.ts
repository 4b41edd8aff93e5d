/** Tests printed rows: control characters are escaped in a terminal; a file or pipe gets the exact bytes. */
import { expect, it } from "vitest";
import { type Format, printRows, type Rows } from "../../../src/commands/shared/format.ts";

const name = '\u001b]0;title\u0007"A\r\nB\u009b2J\u202e';

async function printed(
  format: Format,
  isTerminal: boolean,
  rows: Rows = { columns: ["coin", "available"], rows: [[[name, "-1.50"]]] },
): Promise<string> {
  let text = "";
  await printRows(rows, format, {
    args: [],
    options: {},
    env: {},
    print: () => {},
    printError: () => {},
    isTerminal,
    isColoured: false,
    width: 120,
    write: async (part) => {
      text += part;
      return true;
    },
  });
  return text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for them
const control = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e]/;

it("CSV is exact in a file and escaped in a terminal", async () => {
  expect(await printed("csv", false)).toBe(`coin,available\r\n"${name.replaceAll('"', '""')}",-1.50\r\n`);
  expect(await printed("csv", true)).toBe(
    'coin,available\r\n"\\u001b]0;title\\u0007""A\\u000d\\u000aB\\u009b2J\\u202e",-1.50\r\n',
  );
});

it.each(["json", "ndjson"] as const)(
  "%s has the same meaning in a terminal, without control characters",
  async (format) => {
    const shown = await printed(format, true);
    expect(shown).not.toMatch(control);
    expect(JSON.parse(shown)).toEqual(JSON.parse(await printed(format, false)));
  },
);

it("JSON is one list over all batches, also without rows", async () => {
  const [columns, rows] = [
    ["a", "b"],
    [[[1, "x"]], [[2n, 1.5]]],
  ];
  expect(await printed("json", false, { columns, rows })).toBe('[\n{"a":1,"b":"x"},\n{"a":2,"b":1.5}\n]\n');
  expect(await printed("json", false, { columns, rows: [] })).toBe("[]\n");
});

it("a table never contains control characters", async () => {
  for (const isTerminal of [true, false]) expect(await printed("table", isTerminal)).not.toMatch(control);
});
