import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvLine, escapeFormula, unescapeFormula } from "../../src/output/csv.ts";

/** Parses RFC 4180: an unquoted empty cell is null. */
function parse(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  for (const [, quoted, bare = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? bare || null : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.stringMatching(/^[-=+@\t\r\n",;' a0.]{0,6}$/),
  fc.stringMatching(/^-?\d{1,40}(\.\d{1,40})?$/),
);

describe("a line of CSV", () => {
  it("is read back unchanged after formulas are unescaped", () => {
    const rows = fc.array(fc.array(fc.option(text), { minLength: 1, maxLength: 6 }), { maxLength: 5 });
    fc.assert(
      fc.property(rows, (all) => {
        const read = parse(all.map(csvLine).join(""));
        expect(read.map((row) => row.map((cell) => (cell === null ? null : unescapeFormula(cell))))).toEqual(all);
      }),
    );
  });

  it("has quotes only if needed, and distinguishes unknown from empty", () => {
    expect(csvLine(["BTC", null, "", 'say "hi"', "a,b", "two\nlines", "it's"])).toBe(
      'BTC,,"","say ""hi""","a,b","two\nlines",it\'s\r\n',
    );
  });

  it("has every digit of integers, and blobs as hexadecimal digits", () => {
    expect(csvLine([9223372036854775807n, 0.1, 2, new Uint8Array([1, 255])])).toBe(
      "9223372036854775807,0.1,2.0,01ff\r\n",
    );
  });
});

describe("a text that a spreadsheet would run as a formula", () => {
  it.each([
    "=1+1",
    "+1",
    "-1+1",
    "-",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\0=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "-.5",
    "-1e5",
    "--1",
    "'=1",
    "'-1",
    "''@x",
  ])("is escaped: %j", (cell) => {
    expect(escapeFormula(cell)).toBe(`'${cell}`);
  });

  it.each(["-1", "-0.50", "0", "-123456789012345678901234567890.5", "BTC", "'", "'BTC", "''1", " =1", "a=b", ""])(
    "is not found in %j",
    (cell) => {
      expect(escapeFormula(cell)).toBe(cell);
    },
  );
});
