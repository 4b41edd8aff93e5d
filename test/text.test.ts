import { expect, it } from "vitest";
import { Secret } from "../src/domain.ts";
import { redactor, visible } from "../src/text.ts";

it("takes longer secrets out before shorter ones that they contain", () => {
  const redact = redactor([new Secret("password"), new Secret("password-and-more")]);
  expect(redact("password-and-more, password")).toBe("[secret], [secret]");
});

it("shows control characters and direction marks instead of obeying them", () => {
  expect(visible("a\u001b[31mb\u202ec")).toBe("a\\u001b[31mb\\u202ec");
});

it.each([0, 1, 2, 3])("finds a secret in base64 that others stand in front of, %i bytes of them", (before) => {
  const secret = "5f4dcc3b5aa765d6";
  const text = Buffer.from(`${"x".repeat(before)}${secret}:tail`).toString("base64");
  const said = redactor([new Secret(secret)])(`Basic ${text}`);
  expect(said).toContain("[secret]");
  expect(said.length).toBeLessThan(30);
});
