/** Runs the simulated exchange. Every twentieth request has a fault, of all kinds in turn, unless it is switched to calm. */
import type { Fault, SimulatedAccount } from "../../../src/simulator/simulator.ts";
import { startExchange } from "../../support/exchange.ts";

/** The message sent at the start and in response to every message. */
export interface Status {
  url: string;
  requests: number;
  faults: number;
  /** Requests above a documented limit. */
  violations: number;
}

const oneIn = 20;

const kinds: readonly Fault[] = [
  { status: 503 },
  { status: 500, code: "40725" },
  { status: 429 },
  { status: 429, headers: { "retry-after": "1" } },
  { status: 502, body: "<html>502 Bad Gateway</html>" },
  { body: "" },
  { body: '{"code":"00000","msg":"success","data":[{"coin' },
  { edit: (envelope) => ({ ...(envelope as object), data: null }) },
  { edit: (envelope) => ({ ...(envelope as object), data: [{ symbol: "BTCUSDT" }] }) },
  { code: "40014", message: "Incorrect permissions" },
  { reset: true },
  { hang: true },
  { delayMs: 300 },
  { delayMs: 1500 },
  { drip: 1 },
];

const accounts = JSON.parse(process.argv[2] ?? "[]") as SimulatedAccount[];
const simulator = await startExchange({ accounts, recordLimit: 1 });
let faults = 0;
let isCalm = true;
/** Requests answered while calm. */
let spared = 0;

const sendStatus = () => {
  const { requests, limitViolations: violations } = simulator.counts;
  const status: Status = { url: simulator.url, requests, faults, violations };
  process.send?.(status);
};

setInterval(() => {
  const { requests } = simulator.counts;
  if (isCalm) spared = requests - faults * oneIn;
  while (!isCalm && faults * oneIn + spared < requests) {
    simulator.injectFault(kinds[faults % kinds.length] ?? {});
    faults += 1;
  }
}, 10);

process.on("message", (message: "calm" | "faults" | "status") => {
  if (message !== "status") isCalm = message === "calm";
  if (isCalm) simulator.clearFaults();
  sendStatus();
});
process.once("disconnect", () => process.exit());
sendStatus();
