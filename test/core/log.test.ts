import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/domain.ts";
import { createLog } from "../../src/core/log.ts";

const secret = new Secret('canary/"+=secret');

describe("the log", () => {
  it.each(["json", "pretty"] as const)("has one line per event and no form of a secret (%s)", (format) => {
    const lines: string[] = [];
    const log = createLog({ level: "info", format, secrets: [secret], write: (line) => lines.push(line) });
    const value = secret.reveal();
    const bytes = Buffer.from(value);
    log.error(
      {
        plain: value,
        url: encodeURIComponent(value),
        coded: bytes.toString("base64"),
        hex: bytes.toString("hex"),
        secret,
      },
      `two\nlines ${value}`,
    );
    const text = lines.join("");
    expect(text).not.toContain(value);
    expect(text).not.toContain(JSON.stringify(value).slice(1, -1));
    expect(text).not.toContain(encodeURIComponent(value));
    expect(text).not.toContain(bytes.toString("base64"));
    expect(text).not.toContain(bytes.toString("hex"));
    expect(text.trimEnd().split("\n")).toHaveLength(1);
  });
});

it("a secret is printed only by an explicit call", () => {
  expect([String(secret), JSON.stringify({ secret }), `${secret}`]).toEqual([
    "[secret]",
    '{"secret":"[secret]"}',
    "[secret]",
  ]);
});
