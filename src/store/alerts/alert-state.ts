/** Keeps the state of alerts in SQLite. */
import type { DecimalString, Row } from "../../core/domain.ts";
import { hourMs } from "../../core/time.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { digitsSql } from "../schema/encoding.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { Write } from "../sqlite/write-queue.ts";
import {
  messageColumns,
  prepareOpenAlerts,
  preparePublished,
  rowReader,
  settingsHour,
  snapshotColumns,
} from "./alert-reads.ts";
import type {
  AlertChanges,
  AlertPositions,
  AlertStore,
  DeliveryMark,
  EquityPeak,
  Message,
  NewSnapshots,
  OpenAlert,
  StoredSnapshot,
} from "./alert-store.ts";

/** The number of hours for which peaks are kept, independent of the window of the rule. */
export const maxPeakHours = 90 * 24;

/** The maximum number of pending messages; beyond it the oldest are dropped. */
export const maxPending = 1000;

/** The number of messages kept, pending or not. */
export const maxMessages = 2000;

/** The hour under which the id of the last snapshot whose drawdown was evaluated is stored. */
export const drawdownHour = -2;

/** Thrown to roll back a transaction whose changes were computed from an outdated state. */
class OutdatedError extends Error {}

/** The alert store on an SQLite connection. */
export class AlertState implements AlertStore {
  readonly #write: Write;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #rows: (dataset: Dataset, snapshotId: number) => Row[];

  constructor(sqlite: Sqlite, write: Write) {
    this.#write = write;
    this.#statements = prepare(sqlite);
    this.#rows = rowReader(sqlite);
  }

  async begin(): Promise<AlertPositions> {
    const { missing, addMissing, positions } = this.#statements;
    if (missing.get() !== undefined) await this.#write(() => void addMissing.run());
    return new Map(positions.all());
  }

  /**
   * Reads new snapshots. With a single writing process, ids follow the order of commits across accounts too: the position of an account
   * without new snapshots advances with the others, and a new account has only snapshots with higher ids than every position.
   */
  async newSnapshots(after: AlertPositions, limit: number): Promise<NewSnapshots> {
    const from = after.size === 0 ? 0 : Math.min(...after.values());
    const newest = this.#statements.newest.get() ?? 0;
    const found = this.#statements.newSnapshots.all(from, limit);
    const more = found.length === limit;
    const to = more ? (found.at(-1)?.id ?? from) : newest;
    const accounts = [...after.keys(), ...found.map(({ account }) => account)];
    return {
      snapshots: found.filter(({ id, account }) => id > (after.get(account) ?? from)),
      positions: new Map(accounts.map((account) => [account, Math.max(to, after.get(account) ?? 0)])),
      more,
    };
  }

  async rows(dataset: Dataset, snapshotId: number): Promise<Row[]> {
    return this.#rows(dataset, snapshotId);
  }

  async lastOutcomes({ account, id }: StoredSnapshot, codes: readonly string[]) {
    return this.#statements.lastOutcomes.all({ account, snapshotId: id, codes: JSON.stringify(codes) });
  }

  async open(): Promise<OpenAlert[]> {
    return this.#statements.open.all();
  }

  async inactiveScopes(scopeIds: readonly number[]): Promise<number[]> {
    return this.#statements.inactiveScopes.all(JSON.stringify(scopeIds));
  }

  async peaks(account: string, from: number, to: number): Promise<EquityPeak[]> {
    return this.#statements.peaks.all(account, from, to);
  }

  async drawdownsTo(): Promise<ReadonlyMap<string, number>> {
    return new Map(this.#statements.drawdownsTo.all());
  }

  async waitingEquities(account: string, after: number): Promise<StoredSnapshot[]> {
    return this.#statements.waitingEquities.all({ account, after });
  }

  async pricedUntil(coins: readonly string[], { id }: StoredSnapshot, from: number): Promise<number | null> {
    return this.#statements.pricedUntil.get({ coins: JSON.stringify(coins), snapshotId: id, from }) ?? null;
  }

  async lastPrices(coins: readonly string[], { id }: StoredSnapshot) {
    return this.#statements.lastPrices.all({ coins: JSON.stringify(coins), snapshotId: id });
  }

  async record(changes: AlertChanges): Promise<boolean> {
    try {
      await this.#write(() => this.#apply(changes));
      return true;
    } catch (error) {
      if (error instanceof OutdatedError) return false;
      throw error;
    }
  }

  #apply({ ended, fired, messages, peaks, drawdowns, positions }: AlertChanges): void {
    const { end, fire, position, setFigure, dropPeaks, enqueue, drop, forget } = this.#statements;
    const require = (isCurrent: boolean) => {
      if (!isCurrent) throw new OutdatedError();
    };
    for (const { account, from, to } of positions) {
      require((position.get(account) ?? null) === from);
      setFigure.run(account, 0, String(to));
    }
    for (const alert of ended) require(end.run(alert).changes === 1);
    for (const alert of fired) require(fire.run(alert).changes === 1);
    for (const peak of peaks) {
      setFigure.run(peak.account, peak.hour, peak.equity);
      dropPeaks.run(peak.account, peak.hour - maxPeakHours * hourMs);
    }
    for (const { account, to } of drawdowns) setFigure.run(account, drawdownHour, String(to));
    for (const message of messages) enqueue.run({ ...message, attempts: 0, nextAt: message.at });
    if (messages.length === 0) return;
    drop.run(maxPending);
    forget.run(maxMessages);
  }

  async publish(settings: object): Promise<void> {
    const { published, setFigure } = this.#statements;
    const figure = JSON.stringify({ "": settings });
    if (published.get() !== figure) await this.#write(() => void setFigure.run("", settingsHour, figure));
  }

  async nextPending(): Promise<Message | null> {
    return this.#statements.nextPending.get() ?? null;
  }

  mark(messageId: number, as: DeliveryMark): Promise<void> {
    return this.#write(() => void this.#statements.mark.run({ ...as, id: messageId }));
  }
}

/** Returns the SQL condition that a packed price is not zero: older versions stored zero for a coin that was never traded. */
const isPrice = (column: string): string => `ltrim(hex(${column}), '0ABF') <> ''`;

interface CoinsAsOf {
  coins: string;
  snapshotId: number;
}

const prepare = (sqlite: Sqlite) => ({ ...prepareReads(sqlite), ...preparePrices(sqlite), ...prepareWrites(sqlite) });

/** Adds missing positions. The position of an account is its figure of hour 0; that of the account '' marks that evaluation has begun. */
const missingPositions = `
  with name(name) as (select '' union all select name from account)
  select name from name where not exists (select 1 from alert_figure where account = name and hour = 0)`;

function prepareReads(sqlite: Sqlite) {
  return {
    missing: sqlite.prepare(missingPositions),
    positions: sqlite
      .prepare<[], [account: string, position: number]>(
        `select f.account, cast(f.figure as integer)
         from account a join alert_figure f on f.account = a.name and f.hour = 0`,
      )
      .raw(),
    position: sqlite
      .prepare<[string], number>("select cast(figure as integer) from alert_figure where account = ? and hour = 0")
      .pluck(),
    newest: sqlite.prepare<[], number>("select max(id) from snapshot").pluck(),
    newSnapshots: sqlite.prepare<[number, number], StoredSnapshot>(
      `select ${snapshotColumns}
       from snapshot n join run r on r.id = n.run_id join scope p on p.id = n.scope_id
         join series e on e.id = p.series_id join account a on a.id = e.account_id
       where n.id > ? and r.cause is not 'imported' order by n.id limit ?`,
    ),
    open: prepareOpenAlerts(sqlite),
    // One index lookup per scope, however many failed snapshots came after its last outcome.
    lastOutcomes: sqlite.prepare<
      { account: string; snapshotId: number; codes: string },
      { scopeId: number; code: string | null }
    >(
      `select p.id as scopeId, n.error_code as code
       from account a join series e on e.account_id = a.id join scope p on p.series_id = e.id
         join snapshot n on n.id = (
           select id from snapshot
           where scope_id = p.id and id <= @snapshotId
             and (error_code is null or error_code in (select value from json_each(@codes)))
           order by taken_at desc, id desc limit 1)
       where a.name = @account and p.until is null
         and exists (select 1 from schedule c where c.series_id = e.id and c.until is null)`,
    ),
    inactiveScopes: sqlite
      .prepare<[string], number>(
        `select p.id from json_each(?) s join scope p on p.id = s.value
         where p.until is not null
           or not exists (select 1 from schedule c where c.series_id = p.series_id and c.until is null)`,
      )
      .pluck(),
    peaks: sqlite.prepare<[string, number, number], EquityPeak>(
      "select account, hour, figure as equity from alert_figure where account = ? and hour between ? and ?",
    ),
    drawdownsTo: sqlite
      .prepare<[], [account: string, to: number]>(
        `select account, cast(figure as integer) from alert_figure where hour = ${drawdownHour}`,
      )
      .raw(),
    waitingEquities: sqlite.prepare<{ account: string; after: number }, StoredSnapshot>(
      `select ${snapshotColumns}
       from snapshot n join run r on r.id = n.run_id join scope p on p.id = n.scope_id
         join series e on e.id = p.series_id join account a on a.id = e.account_id
       where n.id > @after and n.id <= (select cast(figure as integer) from alert_figure where account = @account and hour = 0)
         and a.name = @account and e.dataset = 'equity' and n.error_code is null and r.cause is not 'imported'
       order by n.id`,
    ),
    published: preparePublished(sqlite),
    // Without an index: scanning the few messages that are kept costs less than one more page in every database.
    nextPending: sqlite.prepare<[], Message>(
      `select ${messageColumns} from alert_message where delivery = 'pending' order by id limit 1`,
    ),
  };
}

function preparePrices(sqlite: Sqlite) {
  return {
    // A version with a price is valid until the next version of its item; older versions than the window are not read.
    pricedUntil: sqlite
      .prepare<CoinsAsOf & { from: number }, number | null>(
        `select max(coalesce(b.taken_at, n.taken_at)) from json_each(@coins) c
           join prices_item i on i.coin = c.value and i.quote = 'USDT'
           join snapshot n on n.id = @snapshotId
           join prices_moving m on m.item_id = i.id and m.since <= @snapshotId and ${isPrice("m.price")}
             and m.since >= coalesce((
               select max(since) from prices_moving where item_id = i.id and since <= (
                 select id from snapshot where scope_id = i.scope_id and taken_at <= @from and error_code is null
                 order by taken_at desc, id desc limit 1)), 0)
           left join snapshot b on b.id = (
             select min(since) from prices_moving where item_id = m.item_id and since > m.since and since <= @snapshotId)`,
      )
      .pluck(),
    lastPrices: sqlite.prepare<CoinsAsOf, { coin: string; price: DecimalString }>(
      `select c.value as coin, ${digitsSql("m.price")} as price from json_each(@coins) c
         join prices_item i on i.coin = c.value and i.quote = 'USDT'
         join prices_moving m on m.item_id = i.id and m.since = (
           select max(since) from prices_moving where item_id = i.id and since <= @snapshotId and ${isPrice("price")})`,
    ),
  };
}

function prepareWrites(sqlite: Sqlite) {
  return {
    // An account without a position was added after the last evaluation: its first snapshot has a higher id than all positions.
    addMissing: sqlite.prepare(
      `insert into alert_figure (account, hour, figure)
       select name, 0, cast(coalesce(
         (select min(cast(figure as integer)) from alert_figure where hour = 0 and account <> ''),
         (select 0 from alert_figure where hour = 0 and account = ''),
         (select max(id) from snapshot), 0) as text)
       from (${missingPositions})`,
    ),
    setFigure: sqlite.prepare(
      `insert into alert_figure (account, hour, figure) values (?, ?, ?)
       on conflict do update set figure = excluded.figure`,
    ),
    dropPeaks: sqlite.prepare("delete from alert_figure where account = ? and hour > 0 and hour < ?"),
    fire: sqlite.prepare(
      `insert into alert (kind, account, subject, name, what, scope_id, fired_at)
       values (@kind, @account, @subject, @name, @what, @scopeId, @firedAt) on conflict do nothing`,
    ),
    end: sqlite.prepare("delete from alert where kind = @kind and account = @account and subject = @subject"),
    enqueue: sqlite.prepare(
      `insert into alert_message
         (alert, kind, account, what, state, at, value, threshold, sentence, delivery, attempts, next_at)
       values (@alert, @kind, @account, @what, @state, @at, @value, @threshold, @sentence, @delivery, @attempts, @nextAt)`,
    ),
    drop: sqlite.prepare(
      `update alert_message set delivery = 'given up', problem = 'too many messages were pending' where delivery = 'pending'
         and id <= (select id from alert_message where delivery = 'pending' order by id desc limit 1 offset ?)`,
    ),
    forget: sqlite.prepare("delete from alert_message where id <= (select max(id) from alert_message) - ?"),
    mark: sqlite.prepare(
      `update alert_message set delivery = @delivery, attempts = @attempts, next_at = @nextAt, problem = @problem
       where id = @id`,
    ),
  };
}
