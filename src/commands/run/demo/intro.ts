/** What the demo shows on a terminal: what to look at, in a box, and below it one line about the present. */
import type { CollectorDeps, EndedRun, SlotObserver } from "../../../collecting/run-context.ts";
import { decimalIn, sum } from "../../../core/decimal.ts";
import { dayMs, hourMs } from "../../../core/time.ts";
import { equity } from "../../../datasets/snapshots/equity.ts";
import { shownMoney } from "../../../output/shown.ts";
import { displayWidth, padToWidth } from "../../shared/width.ts";
import { eventSlots } from "./events.ts";
import { historyDays } from "./past.ts";

export interface Introduction {
  /** Of the pages; null where they are switched off. */
  address: string | null;
  /** Of the database, from the current folder. */
  path: string;
  /** Whether the history has events. */
  hasEvents: boolean;
  /** Epoch ms. */
  now: number;
  /** Whether a box is drawn around the lines. */
  isFramed: boolean;
}

/** Returns the address, what to look at, and three commands to try. */
export function introduce({ address, path, hasEvents, now, isFramed }: Introduction): string[] {
  const command = (words: string) => `  DATABASE_URL=file:./${path} npx bitget-collector ${words}`;
  const lines = [
    address === null ? "The demo collects. HTTP_PORT is empty: there are no pages." : `The demo is ready: ${address}`,
    ...(hasEvents ? ["", "Look at", ...sights(now).map((sight) => `  ${sight}`)] : []),
    "",
    "Try in another terminal",
    command("status"),
    command("db verify"),
    command(hasEvents ? "db replay --dataset positions" : "report equity --from -7d"),
    "",
    "Ctrl-C ends the demo; its history stays.",
  ];
  return isFramed ? framed(lines) : lines;
}

/** Returns what can be seen in the history with events, with the days. */
function sights(now: number): string[] {
  const begin = now - (now % hourMs) - historyDays * dayMs;
  const dayOf = (slot: number) => dayText(begin + slot * hourMs);
  const { asleep, outage, coinMargined, fundingWallet, upgrade } = eventSlots;
  return [
    `Overview      the drawdown of ${dayOf(22 * 24 + 9)}, and a short close to its liquidation`,
    "Balances      yesterday's close: the date field, and a coin without a price",
    `Positions     a short that was liquidated on ${dayOf(25 * 24 + 6)}`,
    `Data health   the gaps of ${dayOf(asleep.first)} and ${dayOf(outage.first)}, what failed on ${dayOf(coinMargined.first)} and ${dayOf(fundingWallet.first)},`,
    `              the upgrade of main on ${dayOf(upgrade.first)}, an open alert, the last verification`,
  ];
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Returns the day of an instant in UTC, such as "5 Nov". */
const dayText = (at: number): string => `${new Date(at).getUTCDate()} ${months[new Date(at).getUTCMonth()]}`;

/** Draws a box around lines. */
function framed(lines: readonly string[]): string[] {
  const width = Math.max(...lines.map(displayWidth));
  const edge = "─".repeat(width + 2);
  return [`╭${edge}╮`, ...lines.map((line) => `│ ${padToWidth(line, width)} │`), `╰${edge}╯`];
}

/** One line about the present, which is drawn again after each run. */
export class LiveLine implements SlotObserver {
  readonly #deps: Pick<CollectorDeps, "store" | "clock">;
  readonly #write: (text: string) => void;
  #runs = 0;
  #failed = 0;
  #isDrawing = false;
  #isOver = false;

  constructor(deps: Pick<CollectorDeps, "store" | "clock">, write: (text: string) => void) {
    this.#deps = deps;
    this.#write = write;
  }

  onEnded({ state }: EndedRun): void {
    this.#runs += 1;
    if (state === "failed" || state === "partial") this.#failed += 1;
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    void this.#draw().finally(() => {
      this.#isDrawing = false;
    });
  }

  /** Leaves the line as it is, and draws it no more. */
  end(): void {
    this.#isOver = true;
    this.#write("\n");
  }

  async #draw(): Promise<void> {
    const { store, clock } = this.#deps;
    const known = await store.latest(equity);
    const values = known.flatMap(({ rows }) => rows).map((row) => decimalIn(row, "usdtEquity"));
    const all = values.filter((value) => value !== null);
    const worth = all.length === values.length && all.length > 0 ? `${shownMoney(sum(all))} USDT` : "unknown";
    const time = new Date(clock.now()).toISOString().slice(11, 19);
    if (this.#isOver) return;
    this.#write(`\r\u001b[K● ${time} UTC · ${this.#runs} runs, ${this.#failed} failed · equity ${worth}`);
  }
}
