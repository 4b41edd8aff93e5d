import { spawn } from "node:child_process";
import { ConfigError, UsageError } from "../../core/errors.ts";
import { loadConfig } from "../../settings/config.ts";
import { pageNames } from "../../web/pages/names.ts";
import { dashboardUrl, isDashboard } from "../check/machine.ts";
import type { Command } from "../command.ts";
import { knownNames } from "../terminal/suggest.ts";

/** The programs that open an address in the browser, by platform. BROWSER names another one. */
const openers: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: "open", win32: "explorer" };

export const openCommand: Command = {
  examples: ["open", "open positions", "open balances"],
  details: [
    "Prints the address, and opens it in the browser of this machine: the program in BROWSER, else that of the system. `start` or `serve` has",
    "to be running. Exit code 1 where nothing answers there, or no browser can be started.",
  ],
  onPostgres: "own",
  async run({ args: [page = ""], env, print, printError }) {
    if (page !== "" && !pageNames.includes(page))
      throw new UsageError(`unknown page "${page}"${knownNames("pages", page, pageNames)}`);
    const { http } = loadConfig(env, { credentials: false, pages: true });
    if (http === null) throw new ConfigError(["HTTP_PORT is empty, which switches the dashboard off"]);
    if (http.port === 0) throw new ConfigError(["HTTP_PORT is 0: the log of `start` or `serve` names the port"]);
    const url = dashboardUrl(http) + page;
    print(url);
    if (!(await isDashboard(http))) {
      printError("No dashboard answers there; start it with `bitget-collector start` or `bitget-collector serve`.");
      return 1;
    }
    const program = env.BROWSER || (openers[process.platform] ?? "xdg-open");
    if (await isStarted(program, url)) return 0;
    printError(`${program} cannot be started; open the address in a browser, or set BROWSER.`);
    return 1;
  },
};

/** Starts a program, which may outlive this one. Resolves with whether it could be started. */
const isStarted = (program: string, url: string): Promise<boolean> =>
  new Promise((done) => {
    const child = spawn(program, [url], { detached: true, stdio: "ignore" });
    child.once("error", () => done(false));
    child.once("spawn", () => {
      child.unref();
      done(true);
    });
  });
