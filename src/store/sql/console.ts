/**
 * Runs SQL queries in a process of their own: an endless query cannot be stopped from inside, and must not delay collection.
 * The child reads a batch when it is asked for one, so nothing accumulates in between.
 */
import { fork } from "node:child_process";
import { extname } from "node:path";
import type { Cell } from "../../core/domain.ts";
import { QueryError } from "../../core/errors.ts";
import type { Reply, Request } from "./console-child.ts";

export interface QueryResult {
  columns: readonly string[];
  /** In batches; to leave the loop early ends the query. @throws QueryError where it fails or is stopped on the way */
  rows: AsyncGenerator<readonly Cell[][], void>;
}

/**
 * Asks the database at `path` one read-only statement. The whole of it, reading the rows included, may take
 * `timeoutSeconds` and 400 MB.
 * @throws QueryError where it is refused, wrong, or stopped
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
  let lastWords = "";
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
  const whyEnded = () =>
    new QueryError(
      timedOut
        ? `stopped after ${timeoutSeconds} s; ask for less, or set SQL_TIMEOUT_SECONDS`
        : lastWords.trim() || "the process that answered came to its end",
    );
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    lastWords = (lastWords + text).slice(-2000);
  });
  child.on("message", (reply: Reply) => waiting?.resolve(reply));
  child.on("error", (error) => waiting?.reject(error));
  child.on("close", () => {
    closed = true;
    clearTimeout(timer);
    waiting?.reject(whyEnded());
  });

  async function next(request: Request): Promise<Reply> {
    const reply = await new Promise<Reply>((resolve, reject) => {
      waiting = { resolve, reject };
      if (closed) reject(whyEnded());
      // Should it be gone already, "close" says why.
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
