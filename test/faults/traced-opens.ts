/** Determines which files a traced program opened, through SQLite or not, and for how long, from the output of `strace -f -y`. */

export interface Opened {
  /** The process id, for any of its threads. */
  process: number;
  file: string;
  /** Whether SQLite opened the file: it never follows links when opening, Node.js always does. */
  bySqlite: boolean;
  /** Line numbers in the trace; `to` is infinite for a file that was never closed. */
  from: number;
  to: number;
}

/** Parses a trace of open, close, clone and similar calls, joining calls that strace split into two lines. */
export function tracedOpens(trace: string): Opened[] {
  const processOf = new Map<number, number>();
  const open = new Map<string, Opened>();
  const all: Opened[] = [];
  const unfinished = new Map<string, string>();
  for (const [number, text] of trace.split("\n").entries()) {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/.exec(text) ?? [];
    if (rest.endsWith("<unfinished ...>")) {
      unfinished.set(thread, rest.slice(0, -"<unfinished ...>".length));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const call = resumed ? `${unfinished.get(thread) ?? ""}${resumed[1]}` : rest;
    const process = processOf.get(Number(thread)) ?? Number(thread);
    processOf.set(Number(thread), process);
    const made = /^(?:clone3?|v?fork)\((.*)\) += (\d+)/.exec(call);
    if (made) processOf.set(Number(made[2]), made[1]?.includes("CLONE_THREAD") ? process : Number(made[2]));
    const opened = /^open(?:at2?)?\(.*\) += (\d+)<(.*)>$/.exec(call);
    if (opened) {
      const one = {
        process,
        file: opened[2] ?? "",
        bySqlite: call.includes("O_NOFOLLOW"),
        from: number,
        to: Number.POSITIVE_INFINITY,
      };
      open.set(`${process} ${opened[1]}`, one);
      all.push(one);
    }
    const closed = /^close\((\d+)</.exec(call);
    const one = closed && open.get(`${process} ${closed[1]}`);
    if (one) one.to = number;
  }
  return all;
}

/** Returns one sentence per database file that a process opened outside SQLite while it also had the database open through SQLite. */
export function foreignOpens(all: readonly Opened[], database: string): string[] {
  const files = ["", "-wal", "-shm", "-journal"].map((suffix) => database + suffix);
  const ours = all.filter(({ file }) => files.includes(file));
  return ours
    .filter((one) => !one.bySqlite)
    .filter((one) =>
      ours.some(
        ({ bySqlite, process, from, to }) => bySqlite && process === one.process && from < one.to && one.from < to,
      ),
    )
    .map(({ process, file }) => `process ${process} opened ${file} outside SQLite`);
}
