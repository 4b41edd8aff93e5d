/** Keeps the series of sub-accounts in step with the lists of their main accounts. */
import { hasSubAccounts, type Session } from "../account-session.ts";
import type { MainAccount } from "../sub-accounts/main-account.ts";
import { loadOne, newSeries, type Series, type SeriesSources } from "./series.ts";

export class SubAccountSeries {
  readonly #series: Series[];
  readonly #sources: SeriesSources;
  /** The main accounts whose sub-accounts this process follows: it is the first one of them, and has read what others recorded. */
  readonly #followed: Set<MainAccount>;
  /** Resolves when the sub-accounts of a main account have been read. */
  readonly #adopting = new Map<MainAccount, Promise<void>>();

  /** `series`: all series of the scheduler, to which those of sub-accounts are added. */
  constructor(series: Series[], sources: SeriesSources) {
    this.#series = series;
    this.#sources = sources;
    this.#followed = new Set(sources.mains);
  }

  /** Follows the lists, and takes over what changed in them. Cheap if nothing did. */
  tick(): void {
    for (const main of this.#sources.mains) this.#follow(main);
    this.#takeChanges();
  }

  /** What is being read of the lists: each settles when it has ended. */
  get requesting(): (Promise<unknown> | null)[] {
    return [...this.#sources.mains.map(({ idle }) => idle), ...this.#adopting.values()];
  }

  /** Follows the list of a main account in the process that is its first one, and in no other. */
  #follow(main: MainAccount): void {
    const { store, log, redact } = this.#sources.deps;
    // As for each of its sub-accounts.
    if (store.sharing && store.sharing.delayMs(`${main.name}/`) > 0) this.#followed.delete(main);
    else if (this.#followed.has(main)) main.tick();
    else if (!this.#adopting.has(main)) {
      const adopted = this.#adopt(main).then(
        () => void this.#followed.add(main),
        (error: unknown) => log.error({ account: main.name }, redact(String(error))),
      );
      this.#adopting.set(
        main,
        adopted.finally(() => this.#adopting.delete(main)),
      );
    }
  }

  /** Continues with the sub-accounts that the process before this one collected. */
  async #adopt(main: MainAccount): Promise<void> {
    const { deps } = this.#sources;
    for (const account of (await deps.store.accounts()).filter((one) => main.owns(one)))
      for (const dataset of deps.datasets.filter(hasSubAccounts)) {
        const stored = await loadOne(account, dataset, null, deps);
        const series = this.#series.find((one) => one.account === account && one.dataset === dataset);
        const followed = stored.inForce
          ? { ...stored, session: main.restore(account), wanted: main.schedule }
          : { ...stored, session: null };
        if (!stored.inForce) main.forget(account);
        if (!series) this.#series.push(followed);
        else {
          const { session, wanted, inForce, since, processedThrough } = followed;
          Object.assign(series, { session, wanted, inForce, since, processedThrough });
        }
      }
  }

  /** Begins the series of sub-accounts that appeared, and ends those of sub-accounts that disappeared. */
  #takeChanges(): void {
    const { deps, mains } = this.#sources;
    for (const { added, removed } of mains.map((main) => main.takeChanges())) {
      if (added.length + removed.length === 0) continue;
      const wantedFrom = deps.clock.now();
      const known = new Map(this.#series.map((series) => [`${series.account} ${series.dataset.name}`, series]));
      const change = (account: string, session: Session | null): void => {
        for (const dataset of deps.datasets.filter(hasSubAccounts)) {
          const fresh = newSeries(account, dataset, session, deps);
          const series = known.get(`${account} ${dataset.name}`) ?? fresh;
          // A sub-account that appears again continues its series.
          Object.assign(series, { session, wanted: fresh.wanted, wantedFrom });
          if (series === fresh) this.#series.push(series);
        }
      };
      for (const account of removed) change(account, null);
      for (const session of added) change(session.name, session);
      deps.log.info(
        { added: added.map(({ name }) => name), removed },
        `sub-accounts: ${added.length} new, ${removed.length} no longer listed`,
      );
    }
  }
}
