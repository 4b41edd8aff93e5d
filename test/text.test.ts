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
