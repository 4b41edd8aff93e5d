/** File paths. */
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Resolves the symbolic links in the existing part of a path, so that a file has one name and keeps it if a link is changed
 * later. Returns a path without an existing part unchanged.
 */
export function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realPath(folder), basename(path));
  }
}
