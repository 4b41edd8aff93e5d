import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Creates a temporary folder, which the caller must remove. */
export const newFolder = (): string => mkdtempSync(join(tmpdir(), "collector-bench-"));
