/** Finds the fields of the exchange that have no column, which are kept in `extra`. */
import { snapshotDatasets } from "../../../datasets/index.ts";
import type { UnknownField } from "../../history.ts";
import { prefixOf } from "../../schema/tables.ts";
import type { Sqlite } from "../../sqlite/database.ts";

/** The number of kept texts that are read of a dataset. */
const maxTexts = 5000;

/** Returns the unknown fields of each dataset, with the times of the first and the last snapshot that brought a new value. */
export const unknownFields = (sqlite: Sqlite): UnknownField[] =>
  snapshotDatasets.flatMap((dataset) =>
    sqlite
      .prepare<[], Omit<UnknownField, "dataset">>(
        `select f.key as field, min(n.taken_at) as firstAt, max(n.taken_at) as lastAt
         from (select since, fields from ${prefixOf(dataset)}_extra where fields is not null limit ${maxTexts}) x
           join json_each(x.fields) f join snapshot n on n.id = x.since
         group by f.key order by f.key`,
      )
      .all()
      .map((found) => ({ dataset: dataset.name, ...found })),
  );
