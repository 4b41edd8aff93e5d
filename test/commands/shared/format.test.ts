/** Bulk results to a terminal, which names must not drive, and to anything else, which gets them byte for byte. */
import { expect, it } from "vitest";
import { type Format, printRows } from "../../../src/commands/shared/format.ts";

const name = '\u001b]0;title\u0007"A\r\nB\u009b2J\u202e';

async function printed(format: Format, isTerminal: boolean): Promise<string> {
  let text = "";
  const rows = { columns: ["coin", "available"], rows: [[[name, "-1.50"]]] };
  await printRows(rows, format, {
    args: [],
    options: {},
    env: {},
    print: () => {},
    printError: () => {},
    isTerminal,
    write: async (part) => {
      text += part;
      return true;
    },
  });
  return text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const control = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e]/;

it("CSV is exact for a file and shown safely in a terminal", async () => {
  expect(await printed("csv", false)).toBe(`coin,available\r\n"${name.replaceAll('"', '""')}",-1.50\r\n`);
  expect(await printed("csv", true)).toBe(
    'coin,available\r\n"\\u001b]0;title\\u0007""A\\u000d\\u000aB\\u009b2J\\u202e",-1.50\r\n',
  );
});

it.each(["json", "ndjson"] as const)("%s means the same in a terminal, without a control character", async (format) => {
  const shown = await printed(format, true);
  expect(shown).not.toMatch(control);
  expect(JSON.parse(shown)).toEqual(JSON.parse(await printed(format, false)));
});

it("a table has no control character anywhere", async () => {
  for (const isTerminal of [true, false]) expect(await printed("table", isTerminal)).not.toMatch(control);
});
