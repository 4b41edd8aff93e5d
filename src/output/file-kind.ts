/** Determines the format of a file by its extension. */
import { UsageError } from "../core/errors.ts";

export const formats = ["csv", "ndjson", "parquet"] as const;
export type FileFormat = (typeof formats)[number];

/** The format of a file, and whether it is compressed. */
export interface FileKind {
  format: FileFormat;
  /** Compressed with gzip. */
  zipped: boolean;
}

/** Returns the format of a path. @throws UsageError for an unknown extension, and for `.parquet.gz`: Parquet is already compressed */
export function kindOf(path: string): FileKind {
  const [, ending = "", gz] = /\.([a-z]+)(\.gz)?$/i.exec(path) ?? [];
  const format = formats.find((one) => one === ending.toLowerCase());
  if (!format)
    throw new UsageError(`${path}: use a file name that ends in .csv, .ndjson, .csv.gz, .ndjson.gz or .parquet`);
  if (format === "parquet" && gz) throw new UsageError(`${path}: Parquet is already compressed; remove .gz`);
  return { format, zipped: gz !== undefined };
}
