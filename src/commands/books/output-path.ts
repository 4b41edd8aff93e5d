import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "../../core/errors.ts";
import { requirePlainFile } from "../../output/atomic-file.ts";

/** Returns the absolute path of a file to write. @throws UsageError, ConfigError where it cannot be one, or its folder is missing */
export function outputPath(given: string): string {
  const path = resolve(given);
  requirePlainFile(path);
  if (!existsSync(resolve(path, "..")))
    throw new ConfigError([
      `${resolve(path, "..")} does not exist. Create that folder, or name a file in another one.`,
    ]);
  return path;
}
