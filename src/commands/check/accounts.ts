/** Checks what the exchange says of each account: its clock, the mode, the key and what the key may read. */
import { maxProbes } from "../../app.ts";
import { readKey } from "../../bitget/permissions.ts";
import { listSubAccounts } from "../../bitget/sub-accounts.ts";
import type { Session } from "../../collecting/account-session.ts";
import { NetworkError } from "../../core/errors.ts";
import type { Config } from "../../settings/config.ts";
import { type Finding, failed, messageOf, ok, type Result, warning } from "./finding.ts";
import { readableLists } from "./readable-lists.ts";

/** The clock offset above which the clock should be set, although requests are signed with the exchange's time. Milliseconds. */
const maxClockOffsetMs = 5000;

/** Checks some accounts at the same time. Returns the results in the order of the accounts. */
export function checkAccounts(sessions: readonly Session[], config: Config): Promise<Finding[]>[] {
  const checks: Promise<Finding[]>[] = [];
  for (const [at, session] of sessions.entries())
    checks.push(Promise.resolve(checks[at - maxProbes]).then(() => checkAccount(session, config)));
  return checks;
}

async function checkAccount(session: Session, config: Config): Promise<Finding[]> {
  const found: Finding[] = [];
  const { name } = session;
  try {
    await checkKey(session, found);
    for (const line of await readableLists(session, config))
      found.push({ check: "records", state: line.isRefused ? "warning" : "ok", message: `${name}: ${line.text}` });
  } catch (error) {
    found.push({ check: "account", ...failed(`${name}: ${messageOf(error)}`, networkAdvice(error)) });
  }
  if (config.subAccounts.of.includes(name)) found.push(await checkSubAccounts(session));
  return found;
}

/** Adds the results about clock, mode and key. @throws CollectorError if one of them cannot be read, or if the key can write */
async function checkKey(session: Session, found: Finding[]): Promise<void> {
  const options = { signal: AbortSignal.timeout(30_000) };
  const { name } = session;
  found.push({ check: "clock", ...(await checkClock(session, options)) });
  const api = await session.api(options);
  const mode = { v1: "classic account, old API", v2: "classic account", v3: "unified account" }[api];
  const key = await readKey(session.client, api, options);
  const writes = key.writes();
  const text = `${name}: ${mode} (${api}); the key is`;
  found.push({
    check: "account",
    ...(writes.length === 0
      ? ok(`${text} read-only`)
      : warning(`${text} not read-only: it can write (${writes.join(", ")})`, "create a read-only one")),
  });
  if (key.addresses === "")
    found.push({
      check: "addresses",
      ...warning(`${name}: the key works from any address`, "bind it to the address of this machine, at bitget.com"),
    });
  else if (key.addresses !== null)
    found.push({ check: "addresses", ...ok(`${name}: the key is bound to ${key.addresses}`) });
}

/** Compares the clocks. @throws CollectorError if the exchange does not answer */
async function checkClock({ name, client }: Session, { signal }: { signal: AbortSignal }): Promise<Result> {
  const offset = await client.measureOffset(signal);
  const text = `${name}: the exchange is ${Math.round(offset)} ms ahead of this machine`;
  return Math.abs(offset) > maxClockOffsetMs ? warning(text, "set this machine's clock") : ok(text);
}

/** Checks what the exchange says without a key, and names what it does not. */
export async function checkWithoutKey(session: Session): Promise<Finding[]> {
  const clock = await checkClock(session, { signal: AbortSignal.timeout(30_000) }).catch((error: unknown) =>
    failed(messageOf(error), networkAdvice(error)),
  );
  const unknown =
    "not checked without a key: the mode of the account, permissions and addresses of the key, its records";
  return [
    { check: "clock", ...clock },
    { check: "account", ...warning(unknown) },
  ];
}

/** Returns what to do where the exchange cannot be reached; undefined for other errors, which say it themselves. */
export const networkAdvice = (error: unknown): string | undefined =>
  error instanceof NetworkError && ["network", "timeout"].includes(error.kind)
    ? "check this machine's network and name resolution, and HTTPS_PROXY if the only way out is a proxy"
    : undefined;

/** Checks that the key of a main account lists its sub-accounts. */
async function checkSubAccounts(session: Session): Promise<Finding> {
  const { name } = session;
  const options = { signal: AbortSignal.timeout(30_000) };
  try {
    const all = await listSubAccounts(session.client, await session.api(options), options);
    const text = `${name}: its key lists ${all.length} sub-accounts; \`accounts discover\` prints them`;
    return { check: "account", ...ok(text) };
  } catch (error) {
    return { check: "account", ...failed(`${name}: its sub-accounts cannot be listed: ${messageOf(error)}`) };
  }
}
