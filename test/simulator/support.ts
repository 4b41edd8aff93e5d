/** A simulated exchange with a clock set by hand, and a customer that signs by hand. */
import { createHmac } from "node:crypto";
import { onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import {
  type SimulatedAccount,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from "../../src/simulator/simulator.ts";
import { fetchOnce } from "../support/http.ts";
import { classic, unified } from "../support/settings.ts";

export const noon = Date.UTC(2026, 10, 1, 12);

/** Stands still until it is set; waits are the machine's. */
export function handClock(start = noon): Clock & { pass(ms: number): void } {
  let passed = 0;
  return {
    now: () => start + passed,
    monotonic: () => passed,
    after: systemClock.after,
    pass(ms) {
      passed += ms;
    },
  };
}

/** Closed when the test is over. */
export async function simulator(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const started = await startSimulator({ clock: handClock(), accounts: [classic, unified], ...options });
  onTestFinished(() => started.close());
  return started;
}

export type Headers = Record<string, string>;

export const signed = (account: SimulatedAccount, target: string, timestamp: number | string = noon): Headers => ({
  "ACCESS-KEY": account.key,
  "ACCESS-TIMESTAMP": String(timestamp),
  "ACCESS-PASSPHRASE": account.passphrase,
  "ACCESS-SIGN": createHmac("sha256", account.secret).update(`${timestamp}GET${target}`).digest("base64"),
});

export interface Reply {
  status: number;
  headers: globalThis.Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the exchange sent, looked into by each test
  body: any;
}

export async function send(url: string, headers: Headers = {}): Promise<Reply> {
  const response = await fetchOnce(url, { headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A signed read at the exchange's own time. */
export const ask = (
  exchange: Simulator,
  account: SimulatedAccount,
  target: string,
  at: number = noon,
): Promise<Reply> => send(exchange.url + target, signed(account, target, at));
