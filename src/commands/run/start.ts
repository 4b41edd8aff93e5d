import { openApp } from "../../app.ts";
import { routeText } from "../../network/proxy.ts";
import { loadConfig } from "../../settings/config.ts";
import { warnings } from "../../settings/env-file.ts";
import type { Command } from "../command.ts";
import { followed } from "../shared/followed.ts";
import { collectUntilStopped } from "./daemon.ts";

export const start: Command = {
  examples: ["start", "start > collector.log", "start 2> collector.log &"],
  onPostgres: "own",
  details: [
    "With DATABASE_URL=postgres://… any number of machines may run it: each slot is run once, by one of them. Dashboard and reports read a",
    "mirror of the history, a file in ./data, which it keeps up to date; the exchange's ledger is reconciled in it, and the result stored for all.",
  ],
  async run({ env }) {
    const config = loadConfig(env);
    const app = await openApp(config);
    let stopFollowing = () => {};
    try {
      for (const warning of warnings(env)) app.log.warn({}, warning);
      const route = routeText(config.baseUrl, config.proxy);
      if (route) app.log.info({}, route);
      if (config.http || config.reportsSchedule)
        stopFollowing = await followed(config, (line) => app.log.warn({}, line));
      return await collectUntilStopped(app, null);
    } finally {
      stopFollowing();
      // Without the server, the others notice by themselves.
      await app.store.leave?.().catch(() => {});
      app.close();
    }
  },
};
