/** Reads in advance what the pages need of a long history, which takes some seconds for a year of minutes. */
import { type Steps, within } from "../../core/async/cooperate.ts";
import { QueryError } from "../../core/errors.ts";
import type { HistoryReader } from "../../store/history.ts";
import { sourceKey } from "../curves/curves.ts";
import type { Readers } from "../curves/profit/profit-curve.ts";
import { equitySource } from "../curves/sources.ts";
import { dayResults, shownSpan } from "../data/performance/performance.ts";
import { type CurrentDrawdown, readDrawdown } from "../data/results/drawdown.ts";
import { readResults } from "../data/results/results.ts";
import type { View } from "../data/table.ts";
import type { Site } from "../site.ts";
import { createView } from "./parts/query-params.ts";

type Work = (history: HistoryReader) => Steps<unknown>;

/** Reads in advance. */
export interface Advance {
  /** Reads what the pages of the present need. */
  begin(): void;
  /** Returns the drawdown of the shown span; undefined if that takes too long to wait for. Then it is read, and returned later. */
  drawdown(view: View): Steps<CurrentDrawdown | null | undefined>;
}

/** Each attempt continues where the one before timed out. */
const attempts = 30;

/** The drawdown of a year is that of all accounts together, and of the first ones: what it is read from takes some MiB. */
const yearsRead = 6;

/** Work that may wait; a page whose drawdown finds no room asks again when it is requested again. */
const maxWaiting = 8;

const maxEnded = 100;

/** `pauses`: those of the longest work that a page waits for, some tenths of a second. */
export function createAdvance(site: Site, { curves, paid }: Readers, pauses = 50_000): Advance {
  /** What is waiting, by name. */
  const waiting = new Map<string, Work>();
  /** What was read, and which no page has had since. */
  const ended = new Set<string>();
  let isReading = false;

  const viewOf = (history: HistoryReader, account: string | null, params: View["params"] = {}) =>
    createView(history, { account, at: null, isExact: false, params }, site);

  function* readPresent(history: HistoryReader): Steps<void> {
    const accounts = [null, ...history.accounts()];
    for (const account of history.accounts()) yield* paid.recorded(history, account, site.now());
    for (const account of accounts) yield* readResults(viewOf(history, account));
    yield* dayResults(viewOf(history, null, { span: "1y" }));
    for (const account of accounts) {
      const source = equitySource(viewOf(history, account));
      yield* curves.prepare(history, source, sourceKey("equity", source));
    }
    for (const account of accounts.slice(0, yearsRead)) yield* readLoss(viewOf(history, account, { span: "1y" }));
  }

  async function read(): Promise<void> {
    for (const [name, work] of waiting) {
      for (let time = 0; time < attempts; time += 1) {
        try {
          await site.reader.readInAdvance(work);
          break;
        } catch (error) {
          // Without a readable database there is nothing to read; pages report the error.
          if (!(error instanceof QueryError)) break;
        }
      }
      waiting.delete(name);
      if (ended.size >= maxEnded) ended.clear();
      ended.add(name);
    }
  }

  function add(name: string, work: Work): void {
    if (waiting.size >= maxWaiting) return;
    waiting.set(name, work);
    if (isReading) return;
    isReading = true;
    void read().finally(() => {
      isReading = false;
    });
  }

  return {
    begin: () => add("present", readPresent),
    *drawdown(view) {
      const { account, at, isNow, params } = view;
      const name = JSON.stringify([account, isNow || at, params.span]);
      const found = yield* within(readLoss(view), pauses);
      if (found !== undefined) {
        ended.delete(name);
        return found;
      }
      // What was not kept, as where a ledger is not read any more, would be read in advance for ever.
      if (ended.has(name)) return yield* readLoss(view);
      add(name, (history) => {
        const now = site.now();
        return readLoss({ ...view, history, now, at: isNow ? now : at });
      });
      return undefined;
    },
  };
}

const readLoss = (view: View): Steps<CurrentDrawdown | null> => readDrawdown(view, shownSpan(view).from);
