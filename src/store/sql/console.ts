/**
 * Runs SQL queries in a child process, because an endless query cannot be stopped from within and must not delay collection.
 * The child reads a batch only when it is requested, so rows do not accumulate.
 */
import { fork } from "node:child_process";
import { extname } from "node:path";
import type { Cell } from "../../core/domain.ts";
import { QueryError } from "../../core/errors.ts";
import type { Reply, Request } from "./console-child.ts";

/** The result of a query. */
export interface QueryResult {
  columns: readonly string[];
  /** Yields the rows in batches; leaving the loop early ends the query. @throws QueryError where it fails or is stopped */
  rows: AsyncGenerator<readonly Cell[][], void>;
}

/**
 * Runs one read-only statement on the database at `path`. It may take `timeoutSeconds`, reading the rows included, and 400 MB of
 * memory.
 * @throws QueryError where the statement is rejected, fails, or is stopped
 */
export async function runQuery(path: string, sql: string, timeoutSeconds: number): Promise<QueryResult> {
  const file = new URL(`./console-child${extname(import.meta.filename)}`, import.meta.url);
  const child = fork(file, {
    // The child must not inherit keys.
    env: {},
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let stderr = "";
  let closed = false;
  let waiting: { resolve(reply: Reply): void; reject(error: Error): void } | null = null;
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeoutSeconds * 1000);
  const end = () => {
    clearTimeout(timer);
    child.kill("SIGKILL");
  };
  const exitError = () =>
    new QueryError(
      timedOut
        ? `stopped after ${timeoutSeconds} s; select fewer rows, or raise SQL_TIMEOUT_SECONDS`
        : stderr.trim() || "the process of the query exited unexpectedly",
    );
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  child.on("message", (reply: Reply) => waiting?.resolve(reply));
  child.on("error", (error) => waiting?.reject(error));
  child.on("close", () => {
    closed = true;
    clearTimeout(timer);
    waiting?.reject(exitError());
  });

  async function next(request: Request): Promise<Reply> {
    const reply = await new Promise<Reply>((resolve, reject) => {
      waiting = { resolve, reject };
      if (closed) reject(exitError());
      // If the child has exited already, "close" reports why.
      else child.send(request, () => {});
    });
    if ("refused" in reply) throw new QueryError(reply.refused);
    return reply;
  }

  async function* rows(): QueryResult["rows"] {
    try {
      for (let done = false; !done; ) {
        const reply = await next("more");
        if (!("rows" in reply)) return;
        yield reply.rows;
        done = reply.done;
      }
    } finally {
      end();
    }
  }

  try {
    const reply = await next({ path, sql });
    return { columns: "columns" in reply ? reply.columns : [], rows: rows() };
  } catch (error) {
    end();
    throw error;
  }
}
