/** Tracks the last evaluated snapshot of each account, in memory and in the store. */
import {
  type AlertChanges,
  type AlertPositions,
  type AlertStore,
  type NewSnapshots,
  noChanges,
} from "../store/alerts/alert-store.ts";

/** Snapshots read at a time. */
const batchSize = 100;

/**
 * Positions are saved after this many snapshots per account if no alert changed: evaluating those again after a crash changes nothing.
 * Another process, which has other accounts to evaluate as well, is to evaluate fewer again.
 */
const snapshotsPerSave = { alone: 100, shared: 10 };

/** Keeps the positions of the evaluation, and writes them together with the changes of alerts. */
export class AlertCursor {
  readonly #store: AlertStore;
  #positions: AlertPositions = new Map();
  #written: AlertPositions = new Map();
  #unwritten = 0;
  /** The accounts that this process evaluated last. */
  #own: ReadonlySet<string> = new Set();

  constructor(store: AlertStore) {
    this.#store = store;
  }

  async begin(): Promise<void> {
    this.#positions = this.#written = await this.#store.begin();
    this.#unwritten = 0;
  }

  async next(): Promise<NewSnapshots> {
    await this.#takeOver();
    return this.#store.newSnapshots(this.#positions, batchSize);
  }

  /** Continues where another process has ended, for accounts that it evaluated until now. */
  async #takeOver(): Promise<void> {
    if (!this.#store.isOwn) return;
    const before = this.#own;
    this.#own = new Set([...this.#positions.keys()].filter((account) => this.#isOwn(account)));
    if ([...this.#own].every((account) => before.has(account))) return;
    const stored = [...(await this.#store.begin())].filter(([account]) => !before.has(account));
    this.#positions = new Map([...this.#positions, ...stored]);
    this.#written = new Map([...this.#written, ...stored]);
  }

  #isOwn(account: string): boolean {
    return this.#store.isOwn?.(account) ?? true;
  }

  /**
   * Moves past a batch, and writes its changes with the positions of the accounts concerned. Returns false if another process has
   * evaluated the batch: nothing was written, and the cursor continues from the stored positions.
   */
  async advance({ snapshots, positions }: NewSnapshots, changes: Omit<AlertChanges, "positions">): Promise<boolean> {
    const { messages, peaks, fired, ended } = changes;
    const changed = new Set([...messages, ...peaks, ...fired, ...ended].map(({ account }) => account));
    this.#unwritten += snapshots.length;
    const [perSave, size] = this.#store.isOwn
      ? [snapshotsPerSave.shared, this.#own.size]
      : [snapshotsPerSave.alone, positions.size];
    const isTime = this.#unwritten >= perSave * Math.max(1, size);
    const isNew = (account: string) => !this.#written.has(account);
    const isDue = (account: string) => isTime && this.#isOwn(account);
    const accounts = [...positions.keys()].filter((one) => isDue(one) || changed.has(one) || isNew(one));
    if (!(await this.#write(positions, accounts, changes))) return false;
    this.#positions = positions;
    if (isTime) this.#unwritten = 0;
    return true;
  }

  /** Writes unsaved positions: other settings at the next start must apply only to later snapshots. */
  async save(): Promise<void> {
    const behind = [...this.#positions].filter(
      ([account, position]) => this.#isOwn(account) && this.#written.get(account) !== position,
    );
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
