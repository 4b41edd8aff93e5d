import { openApp } from "../app.ts";
import { buildsOn, collect as collectOne, sessionsOf } from "../collect.ts";
import { loadConfig } from "../config.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { datasets } from "../datasets/index.ts";
import { datasetNames, type RunState } from "../domain.ts";
import { UsageError } from "../errors.ts";
import { requireAccount, type Session } from "../session.ts";
import type { Command } from "./command.ts";

export const collect: Command = {
  name: "collect",
  summary: "one run now of the named datasets, or of all; exit code 0 all ok, 3 some of it, 1 none of it",
  example: "collect positions spot-assets --account main",
  args: "[dataset...]",
  details: ["Datasets:", ...datasets.map(({ name, summary }) => `  ${name.padEnd(16)}${summary}`)],
  options: [{ flags: "--account <name>", summary: "only this account" }],
  async run({ args, options, env, out }) {
    const unknown = args.find((name) => !datasetNames.some((known) => known === name));
    if (unknown !== undefined)
      throw new UsageError(`there is no dataset "${unknown}"; there are ${datasetNames.join(", ")}`);
    const config = loadConfig(env);
    const account = options.account;
    if (account !== undefined && !config.accounts.some((one) => one.name === account))
      throw new UsageError(
        `there is no account "${account}"; there are ${config.accounts.map((one) => one.name).join(", ")}`,
      );
    const app = await openApp(config);
    try {
      const slot = app.tools.clock.now();
      const states: (RunState | null)[] = [];
      const going: { dataset: Dataset; session: Session; done: Promise<unknown> }[] = [];
      for (const dataset of app.tools.datasets.filter(({ name }) => args.length === 0 || args.includes(name)))
        for (const session of sessionsOf(dataset, app.sessions, app.publicSession)) {
          if (account !== undefined && !dataset.public && session.name !== account) continue;
          const before = going.filter((other) => buildsOn({ dataset, session }, other)).map((one) => one.done);
          const run = collectOne(dataset, session, slot, app.tools, Promise.allSettled(before)).then((state) => {
            states.push(state);
            out(`${session.name} ${dataset.name} ${state ?? "not run"}`);
          });
          going.push({ dataset, session, done: run });
        }
      await Promise.all(going.map((one) => one.done));
      requireAccount(app.sessions);
      const good = states.filter((state) => state === "ok" || state === "skipped").length;
      if (good === states.length) return 0;
      return good > 0 || states.includes("partial") ? 3 : 1;
    } finally {
      app.close();
    }
  },
};
