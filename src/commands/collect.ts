import { type App, openApp } from "../app.ts";
import { requireAccount, type Session, sessionsOf } from "../collecting/account-session.ts";
import { collect as collectOne } from "../collecting/collect.ts";
import { dependsOn } from "../collecting/related-rows.ts";
import type { SlotObserver } from "../collecting/run-context.ts";
import { withLimit } from "../core/async/abort.ts";
import { systemClock } from "../core/clock.ts";
import type { RunState } from "../core/domain.ts";
import { CollectorError, UsageError } from "../core/errors.ts";
import type { AnyDataset } from "../datasets/incremental.ts";
import { datasets, isOnByDefault } from "../datasets/index.ts";
import { loadConfig } from "../settings/config.ts";
import type { Command } from "./command.ts";
import { parseDataset } from "./shared/option.ts";
import { startTerminalBar } from "./shared/progress.ts";
import { knownNames } from "./terminal/suggest.ts";

export const collect: Command = {
  examples: ["collect", "collect positions spot-assets", "collect prices --account main"],
  onPostgres: "own",
  details: [
    "With DATABASE_URL=postgres://… it records there, as the worker WORKER_NAME/PROCESS of its runs.",
    "With SUB_ACCOUNTS_OF also the sub-accounts of the main accounts that it names, listed first.",
    "A dataset that has no schedule by default is run only if it is named.",
    "",
    "Datasets:",
    ...datasets.map(({ name, summary }) => `  ${name.padEnd(18)}${summary}`),
  ],
  options: [{ flags: "--account <name>", summary: "only this account" }],
  async run({ args, options, env, print, printError }) {
    for (const name of args) parseDataset(name);
    const config = loadConfig(env);
    const account = options.account === undefined ? undefined : String(options.account);
    const names = config.accounts.map((one) => one.name);
    const known = [...names, ...config.subAccounts.of.map((name) => `${name}/…`)];
    const isSubAccount = config.subAccounts.of.some((name) => account?.startsWith(`${name}/`));
    if (account !== undefined && !names.includes(account) && !isSubAccount)
      throw new UsageError(`unknown account "${account}"${knownNames("accounts", account, known)}`);
    const app = await openApp(config, systemClock, { isDaemon: false });
    const bar = startTerminalBar("reading records", "windows");
    app.observers.push({ onWindow: windowCounter(bar.update) });
    try {
      // No run may be stored under a time that the exchange has not confirmed.
      await withLimit((signal) => app.publicSession.client.requireClock(signal));
      const found = await subAccountSessions(app, account);
      const sessions = [...app.sessions, ...found.sessions];
      for (const problem of found.problems) printError(problem);
      if (isSubAccount && found.problems.length === 0 && !sessions.some(({ name }) => name === account))
        throw new UsageError(
          `the main account does not list "${account}"; \`accounts discover\` prints its sub-accounts`,
        );
      const states = await collectNow({ ...app, sessions }, args, account, (run, state) =>
        print(`${run} ${state ?? "not run"}`),
      );
      requireAccount(app.sessions);
      const succeeded = states.filter((state) => state === "ok" || state === "skipped").length;
      if (succeeded === states.length && found.problems.length === 0) return 0;
      return succeeded > 0 || states.includes("partial") ? 3 : 1;
    } finally {
      bar.stop();
      app.close();
    }
  },
};

/** Returns an observer that sums up the windows of all scopes. */
function windowCounter(update: (done: number, total: number) => void): NonNullable<SlotObserver["onWindow"]> {
  const scopes = new Map<string, [done: number, total: number]>();
  return (account, dataset, scope, done, total) => {
    scopes.set(JSON.stringify([account, dataset, scope]), [done, total]);
    const sum = (at: 0 | 1) => [...scopes.values()].reduce((all, one) => all + one[at], 0);
    update(sum(0), sum(1));
  };
}

/** Returns the sessions of the sub-accounts that are to be collected, and a sentence for each main account whose list cannot be read. */
async function subAccountSessions(
  { mains, deps }: App,
  account: string | undefined,
): Promise<{ sessions: Session[]; problems: string[] }> {
  const wanted = mains.filter((main) => account === undefined || main.owns(account));
  const problems: string[] = [];
  for (const main of wanted) {
    try {
      await withLimit((signal) => main.discover(deps.clock.now(), { signal }));
    } catch (error) {
      if (!(error instanceof CollectorError)) throw error;
      problems.push(`the sub-accounts of ${main.name} cannot be listed: ${error.message}`);
    }
  }
  return { sessions: wanted.flatMap(({ sessions }) => sessions), problems };
}

/**
 * Runs the named datasets once, or all that are on by default if none is named, with the current time as their slot. Calls `onResult`
 * at the end of each run. Resolves with the states of the runs; null for a slot that another process has claimed.
 */
export async function collectNow(
  { deps, sessions, publicSession }: Pick<App, "deps" | "sessions" | "publicSession">,
  names: readonly string[],
  account: string | undefined,
  onResult: (run: string, state: RunState | null) => void = () => {},
): Promise<(RunState | null)[]> {
  const slot = deps.clock.now();
  const started: { dataset: AnyDataset; session: Session; done: Promise<RunState | null> }[] = [];
  for (const dataset of deps.datasets.filter((one) =>
    names.length === 0 ? isOnByDefault(one) : names.includes(one.name),
  ))
    for (const session of sessionsOf(dataset, sessions, publicSession)) {
      if (account !== undefined && !dataset.public && session.name !== account) continue;
      const dependencies = started.filter((other) => dependsOn({ dataset, session }, other)).map((one) => one.done);
      const request = {
        dataset,
        session,
        slot,
        trigger: "demand",
        dependencies: Promise.allSettled(dependencies),
      } as const;
      const done = collectOne(request, deps).then((state) => {
        onResult(`${session.name} ${dataset.name}`, state);
        return state;
      });
      started.push({ dataset, session, done });
    }
  return Promise.all(started.map(({ done }) => done));
}
