import { expect, it } from "vitest";
import { datasets } from "../../../src/datasets/index.ts";
import { prepareSchema, requireSchema } from "../../../src/store/postgres/migrations.ts";
import { copiedTables } from "../../../src/store/postgres/tables.ts";
import { sharedViews } from "../../../src/store/postgres/views.ts";
import { query } from "../kit.ts";
import { open, temporaryPath } from "../temporary.ts";
import { connected, describePostgres, newDatabase, newHistory } from "./kit.ts";

it("knows every table of SQLite, with its columns and its primary key", async () => {
  const path = temporaryPath();
  await open(path);
  const tables = query(path, "select name from sqlite_master where type = 'table' and name <> 'migration'");
  const shape = tables.map(({ name }) => {
    const columns = query(path, `select name, pk from pragma_table_info('${name}')`);
    const key = columns.filter(({ pk }) => pk !== 0).sort((one, other) => Number(one.pk) - Number(other.pk));
    return { name, columns: columns.map((one) => one.name).sort(), key: key.map((one) => one.name) };
  });
  const known = copiedTables(datasets).map(({ name, columns, key }) => ({
    name,
    columns: columns.map((one) => one.name).sort(),
    key,
  }));
  const byName = (one: { name: unknown }, other: { name: unknown }) => (String(one.name) < String(other.name) ? -1 : 1);
  expect(known.sort(byName)).toEqual(shape.sort(byName));
});

describePostgres("a schema of PostgreSQL", () => {
  it("has the tables and columns that the program knows, and every view in both schemas", async () => {
    const postgres = await connected(await newHistory());
    const found = await postgres.query<{ table: string; columns: string[] }>(
      `select table_name as table, array_agg(column_name::text order by ordinal_position) as columns
       from information_schema.columns where table_schema = 'bitget' group by 1`,
    );
    const columns = new Map(found.map((one) => [one.table, one.columns]));
    for (const table of copiedTables(datasets)) {
      const added = table.name === "run" ? ["deadline"] : [];
      expect(columns.get(table.name), `${table.name}: run npm run db:generate`).toEqual([
        ...table.columns.map(({ name }) => name),
        ...added,
      ]);
    }
    const views = await postgres.query(
      "select schemaname as schema, viewname as name from pg_views where schemaname like 'bitget%'",
    );
    const names = sharedViews(datasets);
    expect(views).toHaveLength(names.length * 2);
    for (const name of names)
      for (const schema of ["bitget", "bitget_typed"]) {
        expect(views).toContainEqual({ schema, name });
        await postgres.query(`select * from ${schema}.${name}`);
      }
  });

  it("is created once, also by several processes at the same time, and nothing is changed by opening it again", async () => {
    const url = await newDatabase();
    const several = await Promise.all([1, 2, 3].map(() => connected(url)));
    await Promise.all(several.map((one) => prepareSchema(one, datasets)));
    const postgres = await connected(url);
    const state = () =>
      postgres.query(
        "select oid::int, xmin::text from pg_class where relnamespace = 'bitget'::regnamespace order by oid",
      );
    const before = await state();
    await prepareSchema(postgres, datasets);
    expect(await state()).toEqual(before);
    await requireSchema(postgres);
  });

  it("replaces views of another release", async () => {
    const postgres = await connected(await newHistory());
    await postgres.run("drop view workers");
    await postgres.run("comment on schema bitget is 'A history of bitget-collector. Views: others'");
    await prepareSchema(postgres, datasets);
    expect(await postgres.query("select * from workers")).toEqual([]);
  });

  it("is left as it is, with what to do, where a view of somebody else uses a view that must be replaced", async () => {
    const postgres = await connected(await newHistory());
    await postgres.run("create view public.mine as select account, dataset from bitget.runs");
    await postgres.run("comment on schema bitget is 'A history of bitget-collector. Views: others'");
    await expect(prepareSchema(postgres, datasets)).rejects.toThrow(
      /view public.mine depends on view runs.* Drop those/,
    );
    await postgres.run("drop view public.mine");
    await prepareSchema(postgres, datasets);
  });

  it.each([
    ["is newer", "insert into migration select max(id) + 1, 'later', 0 from migration", /is newer than this program/],
    ["has another migration", "update migration set hash = 'other' where id = 0", /has other schema changes/],
  ])("is refused where it %s", async (_, change, problem) => {
    const postgres = await connected(await newHistory());
    await postgres.run(change);
    await expect(prepareSchema(postgres, datasets)).rejects.toThrow(problem);
    await expect(requireSchema(postgres)).rejects.toThrow(problem);
  });

  it("is refused where it lacks a migration, or is none, by what only reads", async () => {
    const postgres = await connected(await newHistory());
    await postgres.run("delete from migration where id = (select max(id) from migration)");
    await expect(requireSchema(postgres)).rejects.toThrow(/older than this program/);
    const other = await connected(await newDatabase());
    await expect(requireSchema(other)).rejects.toThrow(/has no history/);
  });

  it("is refused where another program has tables in it; another schema can be named", async () => {
    const url = await newDatabase();
    const postgres = await connected(url);
    await postgres.run("create schema bitget");
    await postgres.run("create table bitget.run (id int)");
    await expect(prepareSchema(postgres, datasets)).rejects.toThrow(/tables of another program.*schema=NAME/);
    const desk = await connected(`${url}?schema=desk_2`);
    await prepareSchema(desk, datasets);
    expect(await desk.query("select * from desk_2_typed.runs")).toEqual([]);
  });

  it("formats times as JavaScript does, in every year", async () => {
    const postgres = await connected(await newHistory());
    const times = [0, 1_793_491_200_123, -1, 253_402_300_799_999, 253_402_300_800_000, 8_639_999_999_999_999];
    const formatted = await postgres.query<{ text: string }>(
      "select instant_text(ms) as text from unnest($1::bigint[]) ms",
      [times],
    );
    expect(formatted.map(({ text }) => text)).toEqual([
      "1970-01-01T00:00:00.000Z",
      "2026-11-01T00:00:00.123Z",
      "1969-12-31T23:59:59.999Z",
      "9999-12-31T23:59:59.999Z",
      "+010000-01-01T00:00:00.000Z",
      "+275760-09-12T23:59:59.999Z",
    ]);
  });

  it("has numbers and times in the typed views", async () => {
    const postgres = await connected(await newHistory());
    const types = await postgres.query(
      `select column_name as name, data_type as type from information_schema.columns
       where table_schema = 'bitget_typed' and table_name = 'positions_history' and column_name in ('taken_at', 'total', 'symbol')
       order by 1`,
    );
    expect(types).toEqual([
      { name: "symbol", type: "text" },
      { name: "taken_at", type: "timestamp with time zone" },
      { name: "total", type: "numeric" },
    ]);
  });
});
