/** What a file holds, by the end of its name. */
import { UsageError } from "../core/errors.ts";

export const formats = ["csv", "ndjson", "parquet"] as const;
export type FileFormat = (typeof formats)[number];

export interface FileKind {
  format: FileFormat;
  /** Compressed as a whole, by gzip. */
  zipped: boolean;
}

/** @throws UsageError for a name that says nothing, and for Parquet, which compresses inside, with `.gz` behind */
export function kindOf(path: string): FileKind {
  const [, ending = "", gz] = /\.([a-z]+)(\.gz)?$/i.exec(path) ?? [];
  const format = formats.find((one) => one === ending.toLowerCase());
  if (!format) throw new UsageError(`${path}: name a file that ends in .csv, .ndjson, .csv.gz, .ndjson.gz or .parquet`);
  if (format === "parquet" && gz) throw new UsageError(`${path}: Parquet is compressed inside; leave .gz away`);
  return { format, zipped: gz !== undefined };
}
