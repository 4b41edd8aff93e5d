import type { Config } from "../../settings/config.ts";

/**
 * Keeps the mirror of a history in PostgreSQL up to date while a command reads it; does nothing where the history is in a file. A problem
 * is printed, and the mirror stays as it is. Resolves after the first pass or problem, with a function that ends it.
 */
export async function followed(
  { postgres, databasePath }: Pick<Config, "postgres" | "databasePath">,
  printError: (line: string) => void,
): Promise<() => void> {
  if (postgres === null) return () => {};
  // What belongs to PostgreSQL is loaded only where it is used.
  const { followMirror } = await import("./mirror.ts");
  const stop = new AbortController();
  const { signal } = stop;
  await new Promise<void>((resolve) => {
    const report = (line: string) => {
      if (!signal.aborted) printError(line);
      resolve();
    };
    followMirror(postgres, databasePath, { signal, printError: report, onPass: () => resolve() }).catch(
      (error: unknown) => report(`the mirror is no longer refreshed: ${(error as Error).message}`),
    );
  });
  return () => stop.abort();
}
