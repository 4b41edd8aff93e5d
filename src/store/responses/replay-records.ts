/** Parses the stored responses of an incremental dataset again, and finds the stored records that would differ. */
import type { Item, Scope, Value } from "../../core/domain.ts";
import { CollectorError } from "../../core/errors.ts";
import type { IncrementalDataset } from "../../datasets/incremental.ts";
import { decodeCell } from "../schema/encoding.ts";
import {
  cellsOf,
  extraOf,
  type RecordLayout,
  readColumns,
  recordLayoutOf,
  storedColumns,
  storedId,
} from "../schema/record-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { type Difference, type Finding, failureOf, parserCodes, type StoredSnapshot } from "./comparison.ts";
import { bodyOf, parsedResponse, type RequestKey, type StoredResponse } from "./reparse.ts";

/**
 * Returns a function that parses every response of a run and scope again, and returns their records in order; null if a response is not
 * kept or was altered. Attempts that the exchange refused are left out. The function throws the error that the collector would report.
 */
export function prepareRecordReparse(raw: Sqlite, dataset: IncrementalDataset): (request: RequestKey) => Item[] | null {
  const find = raw.prepare<unknown[], StoredResponse & { number: number }>(
    `select s.address, w.status, w.number, b.digest, b.packed
     from source s join answer w on w.source_id = s.id and w.slot = @slot join body b on b.id = w.body_id
     where s.dataset = '${dataset.name}' and s.account = @account and s.product_type = @productType order by w.number`,
  );
  const lists = Object.values(dataset.sources).flat();
  return ({ account, productType, slot }) => {
    const responses = find.all({ account, productType, slot });
    const bodies = responses.map((response, at) => (response.number === at + 1 ? bodyOf(response) : null));
    if (responses.length === 0 || bodies.includes(null)) return null;
    return responses.flatMap(({ address, status }, at) => {
      const list = lists.find(({ endpoint, parts }) => endpoint.name === address || parts?.endpoint.name === address);
      if (!list) throw new Error(`${dataset.name} has no endpoint ${address} in this version`);
      try {
        const isList = list.endpoint.name === address;
        const { path } = isList || !list.parts ? list.endpoint : list.parts.endpoint;
        const { data } = parsedResponse(path, { status, body: bodies[at] as Buffer, slot });
        if (isList) return list.read(data, (productType || null) as Scope).items;
        list.parts?.read(data);
        return [];
      } catch (error) {
        if (error instanceof CollectorError && !parserCodes.includes(error.code)) return [];
        throw error;
      }
    });
  };
}

/** A stored record, as it is compared. */
interface StoredRecord {
  id: string;
  /** The cells in the order of the layout, then the unknown fields. */
  cells: Value[];
}

/** Returns a function that compares the records of a snapshot with its responses. */
export function prepareRecordComparison(
  sqlite: Sqlite,
  raw: Sqlite,
  dataset: IncrementalDataset,
): (snapshot: StoredSnapshot) => Finding {
  const reparse = prepareRecordReparse(raw, dataset);
  const differencesOf = prepareDifferences(sqlite, dataset);
  return ({ id, scopeId, errorCode, ...request }) => {
    try {
      const items = reparse(request);
      if (items === null) return { outcome: "no response" };
      if (errorCode !== null) return { outcome: parserCodes.includes(errorCode) ? "readable" : "other failure" };
      const differences = [...differencesOf(scopeId, id, items)];
      return { outcome: differences.length > 0 ? "different" : "same", differences };
    } catch (error) {
      const { code, problem } = failureOf(error);
      if (errorCode === null) return { outcome: "rejected", problem };
      return { outcome: code === errorCode ? "same" : "other failure" };
    }
  };
}

/** Returns a function that yields how the records of a snapshot differ from those parsed again. */
function prepareDifferences(sqlite: Sqlite, dataset: IncrementalDataset) {
  const layout = recordLayoutOf(dataset);
  const { prefix, idAt } = layout;
  const columns = storedColumns(layout);
  const own = sqlite
    .prepare<[number, number], unknown[]>(
      `select ${readColumns(layout).join(", ")}, extra from ${prefix}_record where scope_id = ? and snapshot_id = ?`,
    )
    .raw();
  const exists = sqlite.prepare(`select 1 from ${prefix}_record where scope_id = ? and ${columns[idAt]} = ? limit 1`);
  return function* (scopeId: number, snapshotId: number, items: readonly Item[]): Generator<Difference, void> {
    const stored = own.all(scopeId, snapshotId).map((row): StoredRecord => {
      const cells = row.map(decodeCell);
      return { id: String(cells[idAt]), cells };
    });
    const parsed = parsedById(layout, items);
    for (const { id, cells } of stored) {
      const found = parsed.get(id) ?? [];
      if (found.some((now) => now.every((value, at) => value === cells[at]))) continue;
      const now = found.at(-1);
      if (!now) yield { item: id, field: "row", stored: "there", reparsed: null };
      else
        for (const [at, value] of cells.entries())
          if (value !== now[at])
            yield { item: id, field: columns[at] ?? "extra", stored: value, reparsed: now[at] ?? null };
    }
    for (const id of parsed.keys())
      if (!exists.get(scopeId, storedId(layout, id))) yield { item: id, field: "row", stored: null, reparsed: "there" };
  };
}

function parsedById(layout: RecordLayout, items: readonly Item[]): Map<string, Value[][]> {
  const parsed = new Map<string, Value[][]>();
  for (const item of items) {
    const cells = cellsOf(layout, item);
    const id = String(cells[layout.idAt]);
    parsed.set(id, [...(parsed.get(id) ?? []), [...cells, extraOf(item)]]);
  }
  return parsed;
}
