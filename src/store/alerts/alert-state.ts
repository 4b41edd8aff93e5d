/**
 * What alerts remember, so that a restart knows the same: how far they have looked, what is open, what is still to be said.
 * What changes it is called inside a transaction of the store.
 */

import { compare } from "../../core/decimal.ts";
import type { DatasetName, Digits, Row } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { digitsSql } from "../schema/encoding.ts";
import { prefixOf } from "../schema/tables.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** A snapshot as alerts look at it. */
export interface Seen {
  id: number;
  account: string;
  dataset: DatasetName;
  scopeId: number;
  productType: string | null;
  takenAt: number;
  /** Null: a good one. */
  errorCode: string | null;
}

export interface OpenAlert {
  /** Of this crossing alone. */
  name: string;
  kind: string;
  account: string;
  /** Tells it from others of its kind and account. */
  subject: string;
  /** The same for people. */
  what: string;
  /** Null: no single scope tells it. */
  scopeId: number | null;
  firedAt: number;
}

/** `closed`: what it was about is no more, or is looked at no more. */
export type AlertState = "fired" | "recovered" | "closed";

/** `pending` waits for its turn; `log` has nowhere else to go; `given up` was too old, one too many, or never accepted. */
export type DeliveryState = "pending" | "log" | "delivered" | "given up";

/** What is said. Amounts and shares are digits; null where there are none. */
export interface Message {
  /** The order in which it is sent. */
  id: number;
  /** The name of the alert. */
  alert: string;
  kind: string;
  account: string;
  what: string;
  state: AlertState;
  at: number;
  value: Digits | null;
  threshold: Digits | null;
  sentence: string;
  delivery: DeliveryState;
  attempts: number;
  /** Not before this. Epoch ms. */
  nextAt: number;
  /** What went wrong last. */
  problem: string | null;
}

export type Said = Omit<Message, "id" | "attempts" | "nextAt" | "problem">;

export interface AlertBook {
  /** The last snapshot that was looked at; null before the first look. */
  position(): number | null;
  moveTo(snapshotId: number): void;
  /** 0 where there is none. */
  newestSnapshot(): number;
  /** In the order in which they were stored; those of an import are no news. */
  snapshotsAfter(snapshotId: number, most: number): Seen[];
  /** What a good snapshot holds, in the words of its history view. */
  rows(dataset: Dataset, snapshotId: number): Row[];
  /** What the account's scopes that are still asked told last, up to a snapshot: null, or one of `codes`. */
  verdicts(account: string, snapshotId: number, codes: readonly string[]): { scopeId: number; code: string | null }[];
  open(): OpenAlert[];
  /** Those whose scope is asked no more. */
  forsaken(): OpenAlert[];
  fire(alert: OpenAlert): void;
  end(alert: OpenAlert): void;
  /** Adds what an account is worth to the peaks; the greatest of so many hours that end with its own, and whether it is a new one. */
  peak(account: string, takenAt: number, equity: Digits, hours: number): { greatest: Digits; isNew: boolean };
  /** The greatest of the hours after that of `after`, up to that of `until`; null where none is known. Epoch ms. */
  peakAfter(account: string, after: number, until: number): Digits | null;
  /** When one of these coins last had a price, up to a snapshot and not before `from`; null where none had. Epoch ms. */
  pricedUntil(coins: readonly string[], snapshotId: number, from: number): number | null;
  /** The last price in USDT of each of these coins as of a snapshot; a coin that never had one is left out. */
  lastPrices(coins: readonly string[], snapshotId: number): { coin: string; price: Digits }[];
  /** The last snapshot, good or not, of each scope that is still asked on a schedule. */
  lastSeen(): Seen[];
  say(message: Said): void;
  /** The one whose turn it is. */
  nextPending(): Message | null;
  mark(id: number, to: Pick<Message, "delivery" | "attempts" | "nextAt" | "problem">): void;
  /** Gives up whatever waits, for this reason. */
  withdraw(problem: string): void;
  /** The newest first. */
  messages(most: number): Message[];
}

const hour = 3_600_000;

/** Of the peaks of an account so many hours are kept, whatever the window. */
const keptHours = 90 * 24;

/** More than this many wait for nobody: the oldest are given up. */
const mostPending = 1000;

/** So many of the last messages are kept, waiting or not. */
const mostKept = 2000;

export function createAlertBook(sqlite: Sqlite): AlertBook {
  const statements = prepare(sqlite);
  const views = new Map<string, ReturnType<Sqlite["prepare"]>>();
  return {
    position: () => (statements.position.get() as number | undefined) ?? null,
    moveTo: (snapshotId) => void statements.setFigure.run("", 0, String(snapshotId)),
    newestSnapshot: () => statements.newest.get() as number,
    snapshotsAfter: (snapshotId, most) => statements.after.all(snapshotId, most) as Seen[],
    rows(dataset, snapshotId) {
      const view = `${prefixOf(dataset)}_history`;
      const found = views.get(view) ?? sqlite.prepare(`select * from ${view} where snapshot_id = ?`);
      views.set(view, found);
      return found.all(snapshotId) as Row[];
    },
    verdicts: (account, snapshotId, codes) =>
      statements.verdicts.all({ account, snapshotId, codes: JSON.stringify(codes) }) as ReturnType<
        AlertBook["verdicts"]
      >,
    open: () => statements.open.all() as OpenAlert[],
    forsaken: () => statements.forsaken.all() as OpenAlert[],
    fire: (alert) => void statements.fire.run(alert),
    end: (alert) => void statements.end.run(alert),
    peak(account, takenAt, equity, hours) {
      const now = takenAt - (takenAt % hour);
      const known = statements.peaks.all(account, now - (hours - 1) * hour, now) as { hour: number; equity: Digits }[];
      const here = known.find((one) => one.hour === now);
      const isNew = !here || compare(equity, here.equity) > 0;
      if (isNew) {
        statements.setFigure.run(account, now, equity);
        statements.dropPeaks.run(account, now - keptHours * hour);
      }
      const greatest = known.map((one) => one.equity).reduce(greater, equity);
      return { greatest, isNew };
    },
    peakAfter(account, after, until) {
      const [from, to] = [after - (after % hour) + hour, until - (until % hour)];
      const known = statements.peaks.all(account, from, to) as { equity: Digits }[];
      return known.length === 0 ? null : known.map((one) => one.equity).reduce(greater);
    },
    pricedUntil: (coins, snapshotId, from) =>
      statements.pricedUntil.get({ coins: JSON.stringify(coins), snapshotId, from }) as number | null,
    lastPrices: (coins, snapshotId) =>
      statements.lastPrices.all({ coins: JSON.stringify(coins), snapshotId }) as { coin: string; price: Digits }[],
    lastSeen: () => statements.lastSeen.all() as Seen[],
    say(message) {
      statements.say.run({ ...message, attempts: 0, nextAt: message.at });
      statements.giveUp.run(mostPending);
      statements.forget.run(mostKept);
    },
    nextPending: () => (statements.nextPending.get() as Message | undefined) ?? null,
    mark: (id, to) => void statements.mark.run({ ...to, id }),
    withdraw: (problem) => void statements.withdraw.run(problem),
    messages: (most) => statements.messages.all(most) as Message[],
  };
}

/** Whether a stored price (SQL, packed) is one: the zero of a coin that was never traded, which older versions stored, is none. */
const isPrice = (column: string): string => `ltrim(hex(${column}), '0ABF') <> ''`;

const greater = (one: Digits, other: Digits): Digits => (compare(one, other) >= 0 ? one : other);

const seenColumns = `n.id, a.name as account, e.dataset, n.scope_id as scopeId, nullif(p.product_type, '') as productType,
  n.taken_at as takenAt, n.error_code as errorCode`;

const openColumns = "a.kind, a.account, a.subject, a.name, a.what, a.scope_id as scopeId, a.fired_at as firedAt";

const messageColumns = `id, alert, kind, account, what, state, at, value, threshold, sentence, delivery, attempts,
  next_at as nextAt, problem`;

function prepare(sqlite: Sqlite) {
  return {
    position: sqlite
      .prepare("select cast(figure as integer) from alert_figure where account = '' and hour = 0")
      .pluck(),
    setFigure: sqlite.prepare(
      `insert into alert_figure (account, hour, figure) values (?, ?, ?)
       on conflict do update set figure = excluded.figure`,
    ),
    newest: sqlite.prepare("select coalesce(max(id), 0) from snapshot").pluck(),
    after: sqlite.prepare(
      `select ${seenColumns}
       from snapshot n join run r on r.id = n.run_id join scope p on p.id = n.scope_id
         join series e on e.id = p.series_id join account a on a.id = e.account_id
       where n.id > ? and r.cause is not 'imported' order by n.id limit ?`,
    ),
    // A version with a price holds until the next of its item; those from before the window are not walked through.
    pricedUntil: sqlite
      .prepare(
        `select max(coalesce(b.taken_at, n.taken_at)) from json_each(@coins) c
           join prices_item i on i.coin = c.value and i.quote = 'USDT'
           join snapshot n on n.id = @snapshotId
           join prices_moving m on m.item_id = i.id and m.since <= @snapshotId and ${isPrice("m.price")}
             and m.since >= coalesce((
               select max(since) from prices_moving where item_id = i.id and since <= (
                 select id from snapshot where scope_id = i.scope_id and taken_at <= @from and error_code is null
                 order by taken_at desc, id desc limit 1)), 0)
           left join snapshot b on b.id = (
             select min(since) from prices_moving where item_id = m.item_id and since > m.since)`,
      )
      .pluck(),
    lastPrices: sqlite.prepare(
      `select c.value as coin, ${digitsSql("m.price")} as price from json_each(@coins) c
         join prices_item i on i.coin = c.value and i.quote = 'USDT'
         join prices_moving m on m.item_id = i.id and m.since = (
           select max(since) from prices_moving where item_id = i.id and since <= @snapshotId and ${isPrice("price")})`,
    ),
    lastSeen: sqlite.prepare(
      `select ${seenColumns}
       from scope p join series e on e.id = p.series_id join account a on a.id = e.account_id
         join snapshot n on n.id = (
           select id from snapshot where scope_id = p.id order by taken_at desc, id desc limit 1)
       where p.until is null and exists (select 1 from schedule c where c.series_id = e.id and c.until is null)
       order by a.id, e.id, p.id`,
    ),
    // One step down the index for each scope, however long the exchange did not answer at all.
    verdicts: sqlite.prepare(
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
    open: sqlite.prepare(`select ${openColumns} from alert a order by a.fired_at, a.name`),
    forsaken: sqlite.prepare(
      `select ${openColumns} from alert a join scope p on p.id = a.scope_id
       where p.until is not null
         or not exists (select 1 from schedule c where c.series_id = p.series_id and c.until is null)
       order by a.fired_at, a.name`,
    ),
    fire: sqlite.prepare(
      `insert into alert (kind, account, subject, name, what, scope_id, fired_at)
       values (@kind, @account, @subject, @name, @what, @scopeId, @firedAt)`,
    ),
    end: sqlite.prepare("delete from alert where kind = @kind and account = @account and subject = @subject"),
    peaks: sqlite.prepare("select hour, figure as equity from alert_figure where account = ? and hour between ? and ?"),
    dropPeaks: sqlite.prepare("delete from alert_figure where account = ? and hour < ?"),
    say: sqlite.prepare(
      `insert into alert_message
         (alert, kind, account, what, state, at, value, threshold, sentence, delivery, attempts, next_at)
       values (@alert, @kind, @account, @what, @state, @at, @value, @threshold, @sentence, @delivery, @attempts, @nextAt)`,
    ),
    giveUp: sqlite.prepare(
      `update alert_message set delivery = 'given up', problem = 'too many were waiting' where delivery = 'pending'
         and id <= (select id from alert_message where delivery = 'pending' order by id desc limit 1 offset ?)`,
    ),
    forget: sqlite.prepare("delete from alert_message where id <= (select max(id) from alert_message) - ?"),
    // No index: so few are kept that a walk over all of them costs less than a page of every database.
    nextPending: sqlite.prepare(
      `select ${messageColumns} from alert_message where delivery = 'pending' order by id limit 1`,
    ),
    mark: sqlite.prepare(
      `update alert_message set delivery = @delivery, attempts = @attempts, next_at = @nextAt, problem = @problem
       where id = @id`,
    ),
    withdraw: sqlite.prepare("update alert_message set delivery = 'given up', problem = ? where delivery = 'pending'"),
    messages: sqlite.prepare(`select ${messageColumns} from alert_message order by id desc limit ?`),
  };
}
