/** Names of files. */
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Follows the links of a path, as far as there is something, so that one file has one name and keeps it when a link is changed later.
 * Where nothing can be looked at it is returned as it is.
 */
export function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realPath(folder), basename(path));
  }
}
