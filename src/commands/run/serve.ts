import { ConfigError } from "../../core/errors.ts";
import { loadConfig } from "../../settings/config.ts";
import { shownSettings } from "../../settings/sections/shown.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { describeListenError, serve } from "../../web/server.ts";
import { openSite } from "../../web/site.ts";
import type { Command } from "../command.ts";
import { followed } from "../shared/followed.ts";
import { type StopSignal, signalNumbers, stopSignals } from "./signals.ts";

export const serveCommand: Command = {
  examples: ["serve", "serve &", "serve 2> pages.log &"],
  onPostgres: "mirror",
  async run({ env, printError }) {
    const config = loadConfig(env, { credentials: false, pages: true });
    const { http, databasePath } = config;
    if (http === null)
      throw new ConfigError(["HTTP_PORT is empty, which switches the dashboard off; set it to a port"]);
    // Fails early if the database is missing or unusable; the site opens it later, in another process.
    openHistory(databasePath).close();
    const site = openSite({ ...config, settings: shownSettings(config) }, null);
    const serving = await serve(site, http, (error) => printError(String(error))).catch((error: unknown) => {
      const problem = describeListenError(error, http);
      throw problem === null ? error : new ConfigError([problem]);
    });
    const stopped = new Promise<StopSignal>((resolve) => {
      for (const signal of stopSignals()) process.once(signal, resolve);
    });
    printError(`dashboard: the pages are at ${serving.url}`);
    const stopFollowing = await followed(config, printError);
    const signal = await stopped;
    stopFollowing();
    serving.close();
    site.close();
    return signal === "SIGHUP" ? 128 + signalNumbers.SIGHUP : 0;
  },
};
