import { expect, it } from "vitest";
import { asObject, parseJson, toJson } from "../../../src/bitget/wire/json.ts";

it("every digit of a number is kept by parsing and formatting", () => {
  const text = '{"a":12345678901234567890,"b":0.1234567890123456789,"c":1.50e-7,"d":-0.0}';

  const back = toJson(parseJson(text));

  expect(back).toBe(text);
});

it("__proto__ is an ordinary key", () => {
  const value = parseJson('{"__proto__":{"polluted":true}}');

  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(Object.keys(value as object)).toEqual(["__proto__"]);
});

it.each(["", "\ufeff{}", '{"a":1', '{"a":1,"a":2}', "{} {}", "\u0000"])("%j is not JSON", (text) => {
  expect(() => parseJson(text)).toThrow(SyntaxError);
});

it.each(["null", "[]", '"text"', "5", "true"])("%s is not an object", (text) => {
  expect(asObject(parseJson(text))).toBeNull();
});
