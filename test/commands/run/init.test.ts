import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { askAll } from "../../../src/commands/run/init.ts";
import { Questions } from "../../../src/commands/terminal/questions.ts";
import { startExchange } from "../../support/exchange.ts";
import { temporaryFolder } from "../../support/files.ts";
import { runInProcess } from "../../support/in-process.ts";
import { classic, credentials } from "../../support/settings.ts";

let folder: string;
const file = () => join(folder, ".env");
const init = (env: Record<string, string>) => runInProcess(["init", "--yes"], folder, env);

beforeEach(() => {
  folder = temporaryFolder();
});

async function exchangeOf(account: typeof classic): Promise<{ BITGET_BASE_URL: string }> {
  const exchange = await startExchange({ accounts: [account] });
  onTestFinished(() => exchange.close());
  return { BITGET_BASE_URL: exchange.url };
}

it("writes settings that the program reads, for this user only, and never replaces them unasked", async () => {
  const passphrase = 'it\'s a #1 "phrase"';
  const account = { ...classic, passphrase };
  const host = await exchangeOf(account);
  const { code, stdout } = await init({ ...host, ...credentials(account), TIMEZONE: "Europe/Berlin" });
  expect([code, stdout]).toEqual([0, expect.stringContaining("Next: `bitget-collector start`")]);
  expect(stdout).not.toContain(account.secret);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect((await runInProcess(["get", "v2/spot-assets"], folder, host)).code).toBe(0);
  const before = readFileSync(file(), "utf8");
  expect(before).toContain("TIMEZONE=Europe/Berlin\n");
  expect((await init({ ...host, ...credentials(account) })).code).toBe(78);
  expect(readFileSync(file(), "utf8")).toBe(before);
});

it.each([
  ["a wrong passphrase", { BITGET_API_PASSPHRASE: "wrong-passphrase" }, 1, /40012/],
  ["an invalid time zone", { TIMEZONE: "Mars/Olympus" }, 78, /TIMEZONE/],
  ["an exchange that does not answer", { BITGET_BASE_URL: "http://127.0.0.1:9" }, 1, /; check this machine's network/],
  ["no key", { BITGET_API_KEY: "" }, 64, /--yes needs BITGET_API_KEY in the environment/],
])("writes nothing with %s", async (_, change, code, problem) => {
  const found = await init({ ...(await exchangeOf(classic)), ...credentials(classic), ...change });
  expect([found.code, found.stdout + found.stderr]).toEqual([code, expect.stringMatching(problem)]);
  expect(found.stdout + found.stderr).not.toContain("wrong-passphrase");
  expect(existsSync(file())).toBe(false);
});

it("refuses a key that can write unless a setting allows it", async () => {
  const account = { ...classic, permissions: "trade" as const };
  const env = { ...(await exchangeOf(account)), ...credentials(account) };
  expect(await init(env)).toMatchObject({ code: 1, stdout: expect.stringContaining("is not read-only") });
  expect(existsSync(file())).toBe(false);
  expect((await init({ ...env, BITGET_ALLOW_WRITE_KEYS: "true" })).code).toBe(0);
});

it("needs a terminal to ask", async () => {
  expect(await runInProcess(["init"], folder)).toMatchObject({ code: 64, stderr: expect.stringContaining("--yes") });
});

/** Types each answer when its question is shown. */
function typed(answers: readonly string[]): { questions: Questions; shown(): string } {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const left = [...answers];
  let shown = "";
  output.on("data", (text: Buffer) => {
    shown += text;
    const answer = /: $/.test(shown) ? left.shift() : undefined;
    if (answer !== undefined) setImmediate(() => input.write(`${answer}\n`));
  });
  const questions = new Questions(input, output);
  onTestFinished(() => questions.close());
  return { questions, shown: () => shown };
}

it("asks for everything, shows no secret, and takes the defaults for empty answers", async () => {
  const { questions, shown } = typed(["hedge", "bg_key", "very-secret", "pass-phrase", "", "UTC"]);
  expect(await askAll(questions, () => {})).toEqual({
    ...{ name: "hedge", key: "bg_key", secret: "very-secret", passphrase: "pass-phrase" },
    ...{ schedule: "*/5 * * * *", timezone: "UTC" },
  });
  expect(shown()).toContain("Name of the account [main]: ");
  for (const secret of ["bg_key", "very-secret", "pass-phrase"]) expect(shown()).not.toContain(secret);
});

it("keeps an existing .env unless the answer is yes", async () => {
  writeFileSync(file(), "TIMEZONE=UTC\n", { mode: 0o600 });
  const before = process.cwd();
  process.chdir(folder);
  onTestFinished(() => process.chdir(before));
  await expect(askAll(typed([""]).questions, () => {})).rejects.toThrow("nothing was written");
});

it("is what a command without keys recommends, until there is an .env", async () => {
  const before = process.cwd();
  process.chdir(folder);
  onTestFinished(() => process.chdir(before));
  const hint = "`bitget-collector init` asks for what is needed";
  expect(await runInProcess(["collect"], folder, {})).toMatchObject({
    code: 78,
    stderr: expect.stringContaining(hint),
  });
  const alerts = await runInProcess(["alerts", "test"], folder, {});
  expect([alerts.code, alerts.stderr]).toEqual([78, expect.not.stringContaining(hint)]);
  writeFileSync(file(), "BITGET_API_KEY=\n", { mode: 0o600 });
  const later = await runInProcess(["collect"], folder, {});
  expect([later.code, later.stderr]).toEqual([78, expect.not.stringContaining(hint)]);
});
