/** How far alerts have evaluated what is stored, per account, in memory and in the store. */
import {
  type AlertChanges,
  type AlertPositions,
  type AlertStore,
  type NewSnapshots,
  noChanges,
} from "../store/alerts/alert-store.ts";

/** Snapshots read at once. */
const batchSize = 100;

/** Without changes positions are written only so often, per account: evaluating again changes nothing either. Snapshots. */
const snapshotsPerSave = 100;

export class AlertCursor {
  readonly #store: AlertStore;
  #positions: AlertPositions = new Map();
  #written: AlertPositions = new Map();
  #unwritten = 0;

  constructor(store: AlertStore) {
    this.#store = store;
  }

  async begin(): Promise<void> {
    this.#positions = this.#written = await this.#store.begin();
    this.#unwritten = 0;
  }

  next(): Promise<NewSnapshots> {
    return this.#store.newSnapshots(this.#positions, batchSize);
  }

  /**
   * Moves behind a batch, and writes what it changed with the positions of the accounts concerned. False where another process has
   * evaluated it: nothing was written, and the cursor begins again at what is stored.
   */
  async advance({ snapshots, positions }: NewSnapshots, changes: Omit<AlertChanges, "positions">): Promise<boolean> {
    const { messages, peaks, fired, ended } = changes;
    const changed = new Set([...messages, ...peaks, ...fired, ...ended].map(({ account }) => account));
    this.#unwritten += snapshots.length;
    const isTime = this.#unwritten >= snapshotsPerSave * Math.max(1, positions.size);
    const isNew = (account: string) => !this.#written.has(account);
    const accounts = [...positions.keys()].filter((one) => isTime || changed.has(one) || isNew(one));
    if (!(await this.#write(positions, accounts, changes))) return false;
    this.#positions = positions;
    if (isTime) this.#unwritten = 0;
    return true;
  }

  /** Writes positions that are not written yet: the next start may have other settings, which are for what comes then. */
  async save(): Promise<void> {
    const behind = [...this.#positions].filter(([account, position]) => this.#written.get(account) !== position);
    await this.#write(
      this.#positions,
      behind.map(([account]) => account),
      noChanges,
    );
  }

  async #write(
    positions: AlertPositions,
    accounts: readonly string[],
    changes: Omit<AlertChanges, "positions">,
  ): Promise<boolean> {
    const moved = accounts.flatMap((account) => {
      const to = positions.get(account);
      return to === undefined ? [] : [{ account, from: this.#written.get(account) ?? null, to }];
    });
    if (moved.length + changes.ended.length + changes.fired.length + changes.messages.length === 0) return true;
    if (!(await this.#store.record({ ...changes, positions: moved }))) {
      await this.begin();
      return false;
    }
    this.#written = new Map([...this.#written, ...moved.map(({ account, to }) => [account, to] as const)]);
    return true;
  }
}
