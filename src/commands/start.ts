import { openApp } from "../app.ts";
import { loadConfig } from "../config.ts";
import type { Command } from "./command.ts";
import { collectUntilStopped } from "./daemon.ts";

export const start: Command = {
  name: "start",
  summary: "collect on schedule until it is stopped (SIGINT or SIGTERM)",
  example: "start",
  async run({ env }) {
    const app = await openApp(loadConfig(env));
    try {
      return await collectUntilStopped(app, null);
    } finally {
      app.close();
    }
  },
};
