/**
 * Lets other processes run the slots of this one while the exchange does not respond to it. After three slots in a row without any
 * response it asks the exchange for its time until there is one.
 */
import type { Client } from "../../bitget/client.ts";
import { withLimit } from "../../core/async/abort.ts";
import { type Clock, sleep } from "../../core/clock.ts";
import { ApiError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { SlotSharing } from "../../store/store.ts";
import type { EndedRun, SlotObserver } from "../run-context.ts";

const silentSlots = 3;
const askEveryMs = 10_000;
/** Longer than the pause between two questions and the longest of them, which takes 30 s. */
const pauseMs = 45_000;

export interface ExchangeContactOptions {
  sharing: Pick<SlotSharing, "pause">;
  client: Pick<Client, "measureOffset">;
  clock: Clock;
  log: Log;
  /** Aborted when the program must stop at once. */
  stopping: AbortSignal;
}

export class ExchangeContact implements SlotObserver {
  readonly #options: ExchangeContactOptions;
  /** The slots since the last response. */
  readonly #silent = new Set<number>();
  #isAsking = false;

  constructor(options: ExchangeContactOptions) {
    this.#options = options;
  }

  onEnded({ slot, requests, responses }: Pick<EndedRun, "slot" | "requests" | "responses">): void {
    if (responses > 0) this.#silent.clear();
    else if (requests > 0) this.#silent.add(slot);
    if (this.#silent.size < silentSlots || this.#isAsking) return;
    this.#isAsking = true;
    this.#options.log.warn({}, "the exchange does not respond to this machine: others run its slots until it does");
    void this.#askUntilResponse()
      .then(() => this.#options.log.info({}, "the exchange responds to this machine again"))
      // The program stops.
      .catch(() => {})
      .finally(() => {
        this.#isAsking = false;
      });
  }

  /** The pause ends by itself. Rejects when the program stops. */
  async #askUntilResponse(): Promise<void> {
    const { sharing, clock, stopping } = this.#options;
    while (this.#silent.size > 0) {
      sharing.pause(pauseMs);
      await sleep(clock, askEveryMs, stopping);
      if (await this.#responds()) this.#silent.clear();
    }
  }

  async #responds(): Promise<boolean> {
    const { client, stopping } = this.#options;
    try {
      await withLimit((signal) => client.measureOffset(signal), stopping);
      return true;
    } catch (error) {
      return error instanceof ApiError;
    }
  }
}
