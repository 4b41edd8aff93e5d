import { describe, expect, it } from "vitest";
import { errorClassOf } from "../../../src/bitget/error-codes.ts";
import { attemptsFor, retryAfterMs, waitAfter } from "../../../src/bitget/wire/retry.ts";
import { ApiError, DeadlineError, NetworkError, ShapeError } from "../../../src/core/errors.ts";

const now = Date.UTC(2026, 10, 22, 12, 0, 0);
const network = (
  kind: "rate_limited" | "network" | "tls" | "redirect" | "bad_body" | "too_large",
  retryAfterMs?: number,
) => new NetworkError(kind, "/api/x", "no", retryAfterMs);
const api = (code: string) => new ApiError(errorClassOf(code, 400).kind, "/api/x", code, "no");

it.each([
  ["0", 0],
  ["2", 2000],
  ["1.5", 1500],
  ["86400", 86_400_000],
  ["Sun, 22 Nov 2026 12:00:07 GMT", 7000],
  ["Sun, 22 Nov 2026 11:59:00 GMT", null],
  ["-5", null],
  ["abc", null],
  ["abc GMT", null],
  ["1e3", null],
  ["", null],
  [null, null],
])("Retry-After %j means %j ms", (header, expected) => {
  expect(retryAfterMs(header, now)).toBe(expected);
});

describe("the wait", () => {
  it.each([
    ["doubles after each refusal", network("rate_limited"), [1000, 2000, 4000, 8000]],
    ["doubles after each trouble, shorter", network("network"), [250, 500, 1000, 2000]],
    ["is what was asked for", network("rate_limited", 2000), [2000, 2000, 2000, 2000]],
    ["is never below a quarter of a second", network("rate_limited", 0), [250, 250, 250, 250]],
    ["is never above half a minute", network("rate_limited", 86_400_000), [30_000, 30_000, 30_000, 30_000]],
  ])("%s", (_title, error, expected) => {
    expect([1, 2, 3, 4].map((attempt) => waitAfter(error, attempt, () => 0.5))).toEqual(expected);
  });

  it("differs by a quarter from caller to caller, and still grows", () => {
    const [first, second] = [
      waitAfter(network("rate_limited"), 1, () => 1),
      waitAfter(network("rate_limited"), 2, () => 0),
    ];

    expect([first, second]).toEqual([1250, 1500]);
  });
});

it.each([
  ["a refusal", network("rate_limited"), 5],
  ["no answer", network("network"), 3],
  ["an unusable response", network("bad_body"), 3],
  ["a host that is somebody else", network("tls"), 1],
  ["a redirect", network("redirect"), 1],
  ["too long an answer", network("too_large"), 1],
  ["429 in a body", api("429"), 5],
  ["a passing trouble of the exchange", api("45001"), 3],
  ["40808", api("40808"), 2],
  ["a wrong signature", api("40009"), 1],
  ["a missing permission", api("40014"), 1],
  ["a wrong parameter", api("400172"), 1],
  ["a code nobody knows", api("99999"), 3],
  ["a shape", new ShapeError("/api/x", "data", "no"), 1],
  ["the deadline", new DeadlineError("over"), 1],
])("%s allows a certain number of attempts in all", (_title, error, expected) => {
  expect(attemptsFor(error)).toBe(expected);
});
