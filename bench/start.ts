import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { collect, storeAt } from "../test/store/kit.ts";
import { accountMinutes, positions, spotAssets } from "../test/store/minutes.ts";
import { setup as build } from "../test/support/build.ts";
import { launch } from "../test/support/program.ts";
import { account, startExchange } from "./exchange.ts";
import { compare, type Figure, median } from "./figure.ts";
import { newFolder } from "./folder.ts";

const times = 7;
const minutes = 1440;
/** The exchange allows one request for key permissions per second; a start within that time would be delayed. Milliseconds. */
const apart = 1000;

export const start: Figure = {
  name: "start",
  summary: `the built program from its start to "collecting …", on a database of ${minutes} minutes`,
  async run() {
    build();
    const folder = newFolder();
    await fill(join(folder, "collector.db"));
    const exchange = await startExchange(Date.now(), 0);
    const imports = importsOf("dist");
    const program: number[] = [];
    const nothing: number[] = [];
    const importing: number[] = [];
    const version: number[] = [];
    const help: number[] = [];
    try {
      await untilCollecting(folder, exchange.url);
      for (let count = 0; count < times; count += 1) {
        nothing.push(await untilEnd("0"));
        importing.push(await untilEnd(imports));
        version.push(await untilEndOf(["dist/main.js", "--version"]));
        help.push(await untilEndOf(["dist/main.js", "--help"]));
        await sleep(apart);
        program.push(await untilCollecting(folder, exchange.url));
      }
    } finally {
      await exchange.close();
      rmSync(folder, { recursive: true });
    }
    const what = 'from start to "collecting …"';
    const value = median(program);
    return [
      compare(what, value, "ms", "node -e 0", median(nothing)),
      compare(what, value, "ms", "node importing its dependencies", median(importing)),
      compare("--version", median(version), "ms", "node -e 0", median(nothing)),
      compare("--help", median(help), "ms", "node -e 0", median(nothing)),
    ];
  },
};

async function fill(path: string): Promise<void> {
  const store = await storeAt(path);
  for (const { slot, coins, lines } of accountMinutes(minutes)) {
    await collect(store, spotAssets, slot, { snapshots: [coins] });
    await collect(store, positions, slot, { snapshots: lines });
  }
  store.close();
}

/** Returns the milliseconds from the spawn to the log line. */
async function untilCollecting(folder: string, url: string): Promise<number> {
  const startedAt = performance.now();
  const program = launch(["start"], folder, {
    DATABASE_URL: "file:./collector.db",
    BITGET_BASE_URL: url,
    BITGET_API_KEY: account.key,
    BITGET_API_SECRET: account.secret,
    BITGET_API_PASSPHRASE: account.passphrase,
  });
  try {
    await program.printed("collecting main");
    return performance.now() - startedAt;
  } finally {
    program.child.kill("SIGTERM");
    await program.finished;
  }
}

/** Returns the milliseconds that node takes to run this text. */
const untilEnd = (text: string): Promise<number> => untilEndOf(["--input-type=module", "-e", text]);

async function untilEndOf(args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const [code] = await once(spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] }), "exit");
  if (code !== 0) throw new Error(`node ended with ${code} after ${args.join(" ")}`);
  return performance.now() - startedAt;
}

/** Returns an import statement for every package that the built program imports. */
function importsOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".js"));
  const named = files.flatMap((file) =>
    [...readFileSync(join(folder, file), "utf8").matchAll(/^(?:import|export) .*from "([a-z@][^":]*)";$/gm)].map(
      (match) => match[1],
    ),
  );
  return [...new Set(named)].map((name) => `import "${name}";`).join("\n");
}
