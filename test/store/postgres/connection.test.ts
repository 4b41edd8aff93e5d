import { expect, it } from "vitest";
import { Secret } from "../../../src/core/domain.ts";
import { ConfigError, StorageError } from "../../../src/core/errors.ts";
import { addressOf, addressProblem } from "../../../src/store/postgres/address.ts";
import { Postgres } from "../../../src/store/postgres/connection.ts";
import { connected, describePostgres, newDatabase, urlOf } from "./kit.ts";

it.each([
  ["postgres://me:pa%2Fss@db.example:5433/history?schema=desk", "db.example", 5433, "history", "desk", "pa/ss"],
  ["postgresql://[::1]/history", "::1", 5432, "history", "bitget", undefined],
  ["postgres://me@%2Frun%2Fpostgresql/history", "/run/postgresql", 5432, "history", "bitget", undefined],
  ["postgres:///history?host=/run/postgresql", "/run/postgresql", 5432, "history", "bitget", undefined],
])("reads %s", (url, host, port, database, schema, password) => {
  const address = addressOf(new Secret(url));
  expect({ ...address, password: address.password?.reveal() }).toMatchObject({
    host,
    port,
    database,
    schema,
    password,
  });
  expect(address.text).not.toContain("pa/ss");
});

it.each([
  ["mysql://me@db/history", /must be a URL such as postgres/],
  ["postgres://me:100%@db/history", /has a %.*% is %25/],
  ["postgres://me@db", /must name a database/],
  ["postgres://me@db/history?schema=Desk", /schema=Desk/],
  ["postgres://me@db/history?schema=pg_x", /schema=pg_x/],
  ["postgres://me@db/history?sslmode=prefer", /unencrypted/],
  ["postgres://me@db/history?sslmode=on", /it can be verify-full/],
  ["postgres://me@db/history?options=x", /parameter "options"/],
])("refuses %s", (url, problem) => {
  expect(addressProblem(url)).toMatch(problem);
});

const unchecked = { checkServerIdentity: expect.any(Function) };

it.each([
  ["postgres://db.example/h", { rejectUnauthorized: true }],
  ["postgres://localhost/h", false],
  ["postgres://127.0.0.1/h?sslmode=verify-full", { rejectUnauthorized: true }],
  ["postgres:///h?host=/tmp", false],
  ["postgres://db.example/h?sslmode=require", { rejectUnauthorized: false, ...unchecked }],
  [
    "postgres://db.example/h?sslmode=require&sslrootcert=package.json",
    { rejectUnauthorized: true, ca: expect.any(String), ...unchecked },
  ],
  ["postgres://db.example/h?sslmode=verify-ca", { rejectUnauthorized: true, ...unchecked }],
  ["postgres://db.example/h?sslmode=disable", false],
])("encrypts unless the server is on this machine: %s", (url, ssl) => {
  expect(addressOf(new Secret(url)).ssl).toEqual(ssl);
});

it("reports an unreachable server with its address, without the password", async () => {
  const postgres = await Postgres.open(new Secret("postgres://me:hunter-secret-2@127.0.0.1:1/history"), {
    name: "tests",
  });
  const error = await postgres.query("select 1").catch((error: unknown) => error);
  await postgres.close();
  expect(error).toBeInstanceOf(StorageError);
  expect(String(error)).toMatch(/127\.0\.0\.1:1\/history, schema bitget cannot be reached \(ECONNREFUSED\)/);
  expect(String(error)).not.toContain("hunter");
});

describePostgres("a connection", () => {
  it("returns int8 as a number, and refuses one that is not a safe integer", async () => {
    const postgres = await connected(urlOf("postgres"));
    expect(await postgres.query("select 9007199254740991::int8 as n, 0.10::numeric as d")).toEqual([
      { n: 9_007_199_254_740_991, d: "0.10" },
    ]);
    await expect(postgres.query("select 9007199254740992::int8")).rejects.toThrow("not a safe integer");
  });

  it("runs one statement of a text only", async () => {
    const postgres = await connected(urlOf("postgres"));
    await expect(postgres.query("select 1; select 2")).rejects.toThrow("multiple commands");
  });

  it("connects again after the server ended it during a statement or between two", async () => {
    const url = await newDatabase();
    const postgres = await connected(url, { connections: 1 });
    const other = await connected(url);
    const end = () =>
      other.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'bitget-collector tests' and pid <> pg_backend_pid() and datname = current_database()",
      );
    await postgres.query("select 1");
    const lost = postgres.transaction(async (connection) => {
      await Promise.all([connection.query("select pg_sleep(60)"), end()]);
    });
    await expect(lost).rejects.toBeInstanceOf(StorageError);
    const idle = postgres.transaction(async (connection) => {
      await connection.query("select 1");
      await end();
      return connection.query("select 2");
    });
    await expect(idle).rejects.toBeInstanceOf(StorageError);
    expect(await postgres.query("select 3 as n")).toEqual([{ n: 3 }]);
  });

  it("rolls a transaction back if its work fails", async () => {
    const postgres = await connected(await newDatabase());
    await postgres.run("create table public.t (n int)");
    const work = postgres.transaction(async (connection) => {
      await connection.run("insert into public.t values (1)");
      throw new RangeError("a problem");
    });
    await expect(work).rejects.toThrow("a problem");
    expect(await postgres.query("select n from public.t")).toEqual([]);
  });

  it.each([
    ["a database that does not exist", urlOf("nowhere"), /"nowhere" does not exist\. Create the database/],
    ["a user that does not exist", urlOf("postgres", "nobody"), /role "nobody" does not exist\. Correct user/],
  ])("refuses %s", async (_, url, problem) => {
    const postgres = await connected(url);
    const error = await postgres.query("select 1").catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toMatch(problem);
  });

  it("reports that the server has no TLS", async () => {
    const postgres = await connected(`${urlOf("postgres")}?sslmode=require`);
    await expect(postgres.query("select 1")).rejects.toThrow(/does not support SSL.*sslmode=disable/);
  });
});
