/** Every answer the exchange gave, by what it was about and when: kept as text, for there are many. */
import type { DatasetName, Scope } from "../../src/core/domain.ts";
import type { ServedSnapshot, TrueRow } from "../../src/simulator/simulator.ts";

export interface Told {
  /** The rows of the answer of that instant; null where there was none. */
  rows(dataset: DatasetName, account: string, scope: Scope, takenAt: number): TrueRow[] | null;
  readonly answers: number;
}

export class Tellings {
  readonly #texts = new Map<string, string>();
  #answers = 0;

  add(served: readonly ServedSnapshot[]): void {
    this.#answers += served.length;
    for (const { dataset, account, scope, takenAt, rows } of served)
      this.#texts.set([dataset, account, scope, takenAt].join(), JSON.stringify(rows));
  }

  get told(): Told {
    const texts = this.#texts;
    return {
      answers: this.#answers,
      rows(...key) {
        const text = texts.get(key.join());
        return text === undefined ? null : (JSON.parse(text) as TrueRow[]);
      },
    };
  }
}
