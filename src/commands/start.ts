import { openApp } from "../app.ts";
import { loadConfig } from "../config.ts";
import { unusedProxies } from "../environment.ts";
import type { Command } from "./command.ts";
import { collectUntilStopped } from "./daemon.ts";

export const start: Command = {
  name: "start",
  summary: "collect on schedule until it is stopped (SIGINT or SIGTERM)",
  example: "start",
  async run({ env }) {
    const app = await openApp(loadConfig(env));
    try {
      for (const setting of unusedProxies(env))
        app.log.warn({ setting }, `${setting} is set and is not used: requests go to the exchange directly`);
      return await collectUntilStopped(app, null);
    } finally {
      app.close();
    }
  },
};
