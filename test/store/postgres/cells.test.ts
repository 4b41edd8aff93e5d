import { expect, it } from "vitest";
import { columnArrays, isOdd, type OddDigits, sqliteCell } from "../../../src/store/postgres/cells.ts";
import type { CopiedTable } from "../../../src/store/postgres/tables.ts";
import { packDigits } from "../../../src/store/schema/encoding.ts";
import { connected, describePostgres, urlOf } from "./kit.ts";

const table: CopiedTable = {
  name: "cells",
  columns: [
    { name: "id", kind: "integer" },
    { name: "error_message", kind: "text" },
    { name: "amount", kind: "digits" },
    { name: "digest", kind: "bytes" },
  ],
  key: ["id"],
};

const nines = "9".repeat(100);
const places = `0.${"0".repeat(16_382)}1`;
const amounts = [
  "0.10",
  "0.00000000",
  "100.00",
  `-${nines}.${nines}`,
  places,
  "-0",
  "-0.00",
  "00.5",
  "-00.5",
  "1.",
  "-0.",
];
const texts = ["", 'a "quoted" \\ text', "{},NULL", "NULL", "ä\u{1f600}", "line\nend", "with \0 in it", "\ufffd"];

it.each(["-0", "-0.00", "00.5", "-00.5", "1.", ".5"])("keeps %s apart", (digits) => expect(isOdd(digits)).toBe(true));
it.each(["0", "0.00", "0.5", "-0.5", "10", "-10.010"])("keeps %s as a number", (digits) =>
  expect(isOdd(digits)).toBe(false),
);

describePostgres("a row", () => {
  it("returns from PostgreSQL with every digit and character", async () => {
    const rows = amounts.map((amount, id) => [
      id,
      texts[id] ?? null,
      id === 3 ? null : amount,
      id === 0 ? null : Buffer.from([0, id, 255]),
    ]);
    const read = rows.map(([id, text, amount, bytes]) => [
      id,
      text,
      amount && packDigits(String(amount)).toString("hex").toUpperCase(),
      bytes && (bytes as Buffer).toString("hex"),
    ]);
    const odd: OddDigits[] = [];
    const postgres = await connected(urlOf("postgres"), { connections: 1 });
    const found = await postgres.cells(
      "select * from unnest($1::bigint[], $2::text[], $3::numeric[], $4::bytea[])",
      columnArrays(table, read, odd),
    );
    const originals = new Map(odd.map(([name, key, column, digits]) => [[name, key, column].join(), digits]));
    const back = found.map((cells) =>
      cells.map((cell, at) => {
        const { name = "", kind = "text" } = table.columns[at] ?? {};
        return sqliteCell(kind, cell, originals.get(["cells", cells[0], name].join()));
      }),
    );
    expect(back).toEqual(
      rows.map(([id, text, amount, bytes]) => [id, text, amount && packDigits(String(amount)), bytes]),
    );
    expect(odd.map(([, key, column]) => `${key} ${column}`).sort()).toEqual(
      ["5 amount", "6 amount", "7 amount", "8 amount", "9 amount", "10 amount", "6 error_message"].sort(),
    );
  });

  it("is refused where a name contains a character that PostgreSQL cannot store", () => {
    const named = { ...table, columns: [{ name: "symbol", kind: "text" as const }], key: ["symbol"] };
    expect(() => columnArrays(named, [["BTC\0"]], [])).toThrow("U+0000, which is in cells.symbol");
  });
});
