/** Declares responses that contain all sub-accounts of a main account, a page at a time. */
import { z } from "zod";
import type { ApiEndpoint } from "../core/domain.ts";
import { type BulkRow, type BulkSource, parseData } from "./dataset.ts";
import { name, text } from "./fields.ts";

interface BulkDeclaration {
  endpoint: ApiEndpoint;
  /** What the exchange calls the user id of a sub-account, and the cursor. */
  fields: { uid: string; cursor?: string };
  /** Default: one page contains all. */
  page?: BulkSource["page"];
  /** Returns the part of a row that looks like the response for one account. */
  part(row: Readonly<Record<string, unknown>>): unknown;
  /** Default: false. */
  omitsEmpty?: boolean;
  /** Default: none. */
  lacks?: BulkSource["lacks"];
}

const userId = name.refine((id) => /^\d{1,32}$/.test(id), "is no user id");

export function bulkSource(declaration: BulkDeclaration): BulkSource {
  const { endpoint, fields, page = null, part, omitsEmpty = false, lacks = [] } = declaration;
  const row = z.looseObject({}).transform((raw): BulkRow => {
    const { [fields.uid]: uid, [fields.cursor ?? ""]: cursor } = raw;
    return { uid: userId.parse(uid), cursor: text.parse(cursor) ?? null, data: part(raw) };
  });
  const rows: BulkSource["rows"] = (data) => parseData({ endpoint, schema: z.array(row), data }, (found) => found);
  return { endpoint, page, omitsEmpty, lacks, rows };
}
