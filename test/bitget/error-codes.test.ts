import { expect, it } from "vitest";
import { errorClassOf } from "../../src/bitget/error-codes.ts";

it.each([
  ["429", "rate_limited"],
  ["25004", "rate_limited"],
  ["30007", "rate_limited"],
  ["45001", "upstream"],
  ["40725", "upstream"],
  ["40808", "api"],
  ["40008", "clock"],
  ["40005", "clock"],
  ["40006", "auth"],
  ["40009", "auth"],
  ["40012", "auth"],
  ["40018", "auth"],
  ["40037", "auth"],
  ["40099", "auth"],
  ["40014", "permission"],
  ["40084", "mode"],
  ["40085", "mode"],
  ["25245", "mode"],
  ["30032", "mode"],
  ["40200", "maintenance"],
  ["400172", "api"],
  ["00001", "api"],
  ["99999", "api"],
])("%s is a failure of kind %s", (code, kind) => {
  expect(errorClassOf(code, 400).kind).toBe(kind);
});

it.each([
  ["30032", "BITGET_API_VERSION"],
  ["40084", "BITGET_API_VERSION"],
  ["40085", "BITGET_API_VERSION"],
  ["40099", "BITGET_DEMO_TRADING"],
  ["40009", "API secret"],
  ["40012", "passphrase"],
  ["40018", "IP whitelist"],
  ["40014", "read only"],
  ["40008", "clock"],
])("the hint of %s mentions %s", (code, word) => {
  expect(errorClassOf(code, 400).hint).toContain(word);
});

it.each([
  ["99999", 429, "rate_limited"],
  ["99999", 500, "upstream"],
  ["99999", 503, "upstream"],
  ["99999", 200, "api"],
  ["40009", 503, "auth"],
])("%s with HTTP %d is a failure of kind %s", (code, status, kind) => {
  expect(errorClassOf(code, status).kind).toBe(kind);
});
