/** Statements for the tests of the SQL console. */

export const accepted = [
  "select count(*) from spot_assets_history",
  "WITH x(n) AS (VALUES (1)) SELECT n FROM x",
  "values (1), (2)",
  "explain query plan select * from runs",
  "/* a comment */ -- and another\n select decimal_sum(available) from spot_assets_latest;",
];

export const refused = [
  "insert into account (name) values ('x')",
  "update account set name = 'x'",
  "delete from run",
  "create table x (y)",
  "create temp table x (y)",
  "drop table run",
  "delete from account returning name",
  "with x as (select 1) insert into account (name) select 'x' from x",
  "attach '/tmp/other.db' as other",
  "attach 'new.db' as other",
  "vacuum into 'copy.db'",
  "begin",
  "savepoint x",
  "pragma query_only = off",
  "pragma writable_schema = on",
  "explain pragma journal_mode = delete",
  "select 1; select 2",
  "select load_extension('x')",
  "select readfile('/etc/passwd')",
  "select writefile('x', 'y')",
];

/** Prefix of a query that never ends: `${endless} select count(*) from c`. */
export const endless = "with recursive c(x) as (select 1 union all select x + 1 from c)";
