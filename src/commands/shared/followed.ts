import type { Config } from "../../settings/config.ts";

/**
 * Keeps the mirror of a history in PostgreSQL up to date while a command reads it; does nothing where the history is in a file. A problem
 * is printed, and the mirror stays as it is. Returns a function that ends it.
 */
export async function followed(
  { postgres, databasePath }: Pick<Config, "postgres" | "databasePath">,
  printError: (line: string) => void,
): Promise<() => void> {
  if (postgres === null) return () => {};
  // What belongs to PostgreSQL is loaded only where it is used.
  const { followMirror } = await import("./mirror.ts");
  const stop = new AbortController();
  void followMirror(postgres, databasePath, { signal: stop.signal, printError }).catch((error: unknown) => {
    if (!stop.signal.aborted) printError(`the mirror is no longer refreshed: ${(error as Error).message}`);
  });
  return () => stop.abort();
}
