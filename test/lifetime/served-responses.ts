/** Keeps every response of the exchange by subject and time, as JSON text to save memory. */
import type { DatasetName, Scope } from "../../src/core/domain.ts";
import type { ServedSnapshot, TrueRow } from "../../src/simulator/simulator.ts";

export interface ResponseLookup {
  /** Returns the rows sent at that time; null where nothing was sent. */
  rows(dataset: DatasetName, account: string, scope: Scope, takenAt: number): TrueRow[] | null;
  readonly count: number;
}

export class ServedResponses {
  readonly #texts = new Map<string, string>();
  #answers = 0;

  add(served: readonly ServedSnapshot[]): void {
    this.#answers += served.length;
    for (const { dataset, account, scope, takenAt, rows } of served)
      this.#texts.set([dataset, account, scope, takenAt].join(), JSON.stringify(rows));
  }

  get served(): ResponseLookup {
    const texts = this.#texts;
    return {
      count: this.#answers,
      rows(...key) {
        const text = texts.get(key.join());
        return text === undefined ? null : (JSON.parse(text) as TrueRow[]);
      },
    };
  }
}
