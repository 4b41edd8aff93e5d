import fc from "fast-check";
import { expect, it } from "vitest";
import { Secret } from "../../src/core/domain.ts";
import { escapeControlChars, redactor } from "../../src/core/text.ts";

it("redacts a longer secret before a shorter one that it contains", () => {
  const redact = redactor([new Secret("password"), new Secret("password-and-more")]);
  expect(redact("password-and-more, password")).toBe("[secret], [secret]");
});

it("redacts overlapping secrets completely", () => {
  const redact = redactor([new Secret("abcdefgh-12345"), new Secret("12345-ABCDEFGH-and-more")]);
  expect(redact("<abcdefgh-12345-ABCDEFGH-and-more>")).toBe("<[secret]>");
});

it("redacts any of many secrets, and returns a text without one unchanged", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "%", "é"), minLength: 8, maxLength: 12 });
  const between = fc.string({ unit: fc.constantFrom("a", "b", "-"), maxLength: 10 });
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 40 }),
      fc.array(fc.tuple(between, fc.nat())),
      (words, parts) => {
        const redact = redactor(words.map((one) => new Secret(one)));
        const text = parts.map(([before, at]) => before + words[at % words.length]).join("-");
        expect(words.filter((one) => redact(text).includes(one))).toEqual([]);
        expect(redact(text.replaceAll(/[ab%é]{8,}/g, "-"))).toBe(text.replaceAll(/[ab%é]{8,}/g, "-"));
      },
    ),
  );
});

it("escapes control characters and direction marks", () => {
  expect(escapeControlChars("a\u001b[31mb\u202ec")).toBe("a\\u001b[31mb\\u202ec");
});

it.each([0, 1, 2, 3])("finds a secret in base64 after %i other bytes", (before) => {
  const secret = "5f4dcc3b5aa765d6";
  const text = Buffer.from(`${"x".repeat(before)}${secret}:tail`).toString("base64");
  const said = redactor([new Secret(secret)])(`Basic ${text}`);
  expect(said).toContain("[secret]");
  expect(said.length).toBeLessThan(30);
});
