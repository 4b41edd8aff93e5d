import { expect, it } from "vitest";
import { readKey } from "../../src/bitget/permissions.ts";
import type { ApiVersion } from "../../src/core/domain.ts";
import { answer, clientOf, failureOf, send, startServer, within } from "./support.ts";

const ask = async (version: ApiVersion, info: object) => {
  const server = await startServer((_request, response) => send(response, 200, answer(info)));
  return (await readKey(clientOf(server.url), version, within(5000))).writes();
};

it.each<[ApiVersion, object, string[]]>([
  ["v2", { authorities: [] }, []],
  ["v2", { authorities: ["readonly"] }, []],
  ["v2", { authorities: ["coor", "cpor", "stor", "smor", "ttor", "wtor", "taxr", "chor", "p2pr", "pllr"] }, []],
  ["v2", { authorities: ["stor", "stow", "coow", "cpow", "wtow", "wwow"] }, ["stow", "coow", "cpow", "wtow", "wwow"]],
  ["v2", { authorities: ["p2p"] }, ["p2p"]],
  ["v2", { authorities: ["trade", "transfer", "withdraw", "readonly"] }, ["trade", "transfer", "withdraw"]],
  ["v2", { authorities: ["something new"] }, ["something new"]],
  ["v1", { authorities: ["readonly"] }, []],
  ["v1", { authorities: ["trade", "readonly"] }, ["trade"]],
  ["v3", { permType: "read-only", permissions: ["uta_mgt", "uta_trade"] }, []],
  ["v3", { permType: "read-write", permissions: ["uta_trade"] }, ["uta_trade"]],
  ["v3", { permType: "read-write", permissions: [] }, ["read-write"]],
])("a %s key of %j may write %j", async (version, info, expected) => {
  expect(await ask(version, info)).toEqual(expected);
});

it.each<[ApiVersion, object, string]>([
  ["v2", {}, "data.authorities"],
  ["v2", { authorities: null }, "data.authorities"],
  ["v2", { authorities: [1] }, "data.authorities"],
  ["v3", { permissions: [] }, "data.permType"],
])("permissions missing for a %s key of %j are an error, not read-only", async (version, info, field) => {
  const error = await failureOf(ask(version, info));

  expect(error.kind).toBe("shape");
  expect(error.message).toContain(`: ${field}: `);
});
