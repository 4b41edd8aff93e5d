/** Exports databases to files and imports them, as the commands do. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DatasetName } from "../../../src/core/domain.ts";
import { datasetNamed, datasets } from "../../../src/datasets/index.ts";
import { exportHistory } from "../../../src/output/export.ts";
import { readFiles } from "../../../src/output/reading/rows.ts";
import { openHistory } from "../../../src/store/read/open-history.ts";
import { type Imported, importHistory } from "../../../src/store/transfer/import.ts";
import { storeAt } from "../../store/kit.ts";
import { temporaryFolder } from "../../support/files.ts";

export const endings = ["csv", "csv.gz", "ndjson", "ndjson.gz", "parquet"] as const;

const always = { from: 0, to: Number.MAX_SAFE_INTEGER };

/** Exports a dataset to a new folder; returns the path of the file. */
export async function exported(path: string, name: DatasetName, ending: string, span = always): Promise<string> {
  const file = join(temporaryFolder(), `${name}.${ending}`);
  const history = openHistory(path);
  try {
    await exportHistory(history, datasetNamed(name), file, { span, signal: new AbortController().signal });
    return file;
  } finally {
    history.close();
  }
}

export const bytesOf = async (...args: Parameters<typeof exported>): Promise<Buffer> =>
  readFileSync(await exported(...args));

/** Imports files into a database, which is created where missing. */
export async function importInto(path: string, files: readonly string[]): Promise<Imported[]> {
  (await storeAt(path)).close();
  return importHistory(
    path,
    datasets,
    readFiles(files, () => {}),
  );
}

/** Imports files into a new database; returns its path. */
export async function imported(files: readonly string[]): Promise<string> {
  const path = join(temporaryFolder(), "imported.db");
  await importInto(path, files);
  return path;
}
