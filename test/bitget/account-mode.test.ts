import { expect, it } from "vitest";
import { detectMode } from "../../src/bitget/account-mode.ts";
import { answer, clientOf, failureOf, fastClock, refusal, send, startServer, within } from "./support.ts";

const detect = async (status: number, body: string) => {
  const server = await startServer((_request, response) => send(response, status, body));
  return detectMode(clientOf(server.url, { clock: fastClock(20) }), within(600_000));
};

it.each([
  ["v3", 200, answer({ accountMode: "unified" })],
  ["v3", 200, answer({ accountMode: "hybrid" })],
  ["v2", 400, refusal("40084")],
  ["v2", 400, refusal("25245")],
])("an account is %s if the exchange responds %d %s", async (expected, status, body) => {
  expect(await detect(status, body)).toBe(expected);
});

it.each(["upgrading", "switching"])("an account that is %s is neither", async (accountMode) => {
  const error = await failureOf(detect(200, answer({ accountMode })));

  expect([error.kind, error.code]).toEqual(["mode", accountMode]);
  expect(error.message).toContain("try again later");
});

it.each([
  ["auth", 400, refusal("40037")],
  ["permission", 400, refusal("40014")],
  ["upstream", 503, ""],
  ["bad_body", 200, ""],
  ["mode", 400, refusal("40085")],
  ["api", 404, refusal("40404")],
])("a failure of kind %s determines no mode", async (kind, status, body) => {
  expect((await failureOf(detect(status, body))).kind).toBe(kind);
});
