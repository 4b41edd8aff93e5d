import { openApp } from "../../app.ts";
import { routeText } from "../../network/proxy.ts";
import { loadConfig } from "../../settings/config.ts";
import { warnings } from "../../settings/env-file.ts";
import type { Command } from "../command.ts";
import { collectUntilStopped } from "./daemon.ts";

export const start: Command = {
  examples: ["start"],
  async run({ env }) {
    const config = loadConfig(env);
    const app = await openApp(config);
    try {
      for (const warning of warnings(env)) app.log.warn({}, warning);
      const route = routeText(config.baseUrl, config.proxy);
      if (route) app.log.info({}, route);
      return await collectUntilStopped(app, null);
    } finally {
      app.close();
    }
  },
};
