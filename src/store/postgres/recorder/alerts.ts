/** Keeps the state of alerts in PostgreSQL, with a position for each account. */
import type { Clock } from "../../../core/clock.ts";
import { snakeCase } from "../../../core/columns.ts";
import type { DecimalString, Row } from "../../../core/domain.ts";
import { hourMs } from "../../../core/time.ts";
import type { Dataset } from "../../../datasets/dataset.ts";
import { messageColumns, settingsHour, snapshotColumns } from "../../alerts/alert-reads.ts";
import { drawdownHour, maxMessages, maxPeakHours, maxPending } from "../../alerts/alert-state.ts";
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
} from "../../alerts/alert-store.ts";
import { columnNames, prefixOf } from "../../schema/tables.ts";
import type { Connection } from "../connection.ts";

/** Rolls a transaction back: the changes were computed from an outdated state. */
class OutdatedError extends Error {}

type Write = <Result>(work: (connection: Connection) => Promise<Result>) => Promise<Result>;

const fromSnapshot = `from snapshot n join scope p on p.id = n.scope_id join series e on e.id = p.series_id
  join account a on a.id = e.account_id`;

/** A process also evaluates accounts whose snapshots it has stored within this time, also if another process is their first one. Milliseconds. */
const storedMs = 60_000;

export interface PostgresAlertsOptions {
  postgres: Connection;
  /** Runs a transaction. */
  write: Write;
  /** The name of this process. */
  sender: string;
  /** Whether this process is the first one of an account. */
  isFirst: (account: string) => boolean;
  clock: Clock;
}

export class PostgresAlerts implements AlertStore {
  readonly #postgres: Connection;
  readonly #write: Write;
  readonly #sender: string;
  readonly #isFirst: (account: string) => boolean;
  readonly #clock: Clock;
  /** When this process last stored a snapshot of an account for which it is not the first one. A monotonic instant. */
  readonly #storedAt = new Map<string, number>();
  /** No unfinished transaction has an id up to this one. */
  #settled: number | null = null;
  /** Ids up to `last` were taken before the transaction `next` began; null before the first poll. */
  #earlier: { last: number; next: number } | null = null;

  constructor({ postgres, write, sender, isFirst, clock }: PostgresAlertsOptions) {
    this.#postgres = postgres;
    this.#write = write;
    this.#sender = sender;
    this.#isFirst = isFirst;
    this.#clock = clock;
  }

  isOwn(account: string): boolean {
    const storedAt = this.#storedAt.get(account) ?? Number.NEGATIVE_INFINITY;
    if (this.#clock.monotonic() - storedAt < storedMs) return true;
    this.#storedAt.delete(account);
    return this.#isFirst(account);
  }

  /** Makes an account whose snapshots this process has just stored its own for a while. */
  onStored(account: string): void {
    if (!this.#isFirst(account)) this.#storedAt.set(account, this.#clock.monotonic());
  }

  async begin(): Promise<AlertPositions> {
    const missing = await this.#postgres.cells(`${names} select name ${withoutPosition} limit 1`);
    if (missing.length > 0) await this.#write((connection) => connection.run(addMissing));
    const found = await this.#postgres.cells(
      "select f.account, f.figure::bigint from account a join alert_figure f on f.account = a.name and f.hour = 0",
    );
    return new Map(found as [string, number][]);
  }

  /**
   * Reads new snapshots. Ids follow the order of commits within an account only. The position of an account without new snapshots
   * advances to the last id that no unfinished transaction can have taken.
   */
  async newSnapshots(after: AlertPositions, limit: number): Promise<NewSnapshots> {
    const own = [...after].filter(([account]) => this.isOwn(account));
    const others = [...after.keys()].filter((account) => !this.isOwn(account));
    const settledBefore = this.#settled ?? (after.size === 0 ? 0 : Math.min(...after.values()));
    const from = Math.min(...own.map(([, position]) => position), settledBefore);
    const last = await this.#lastId();
    const found = await this.#postgres.query<StoredSnapshot & { oldest: number; next: number }>(
      `with at as (
         select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest,
           pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next),
       found as (
         select ${snapshotColumns} ${fromSnapshot} join run r on r.id = n.run_id
           left join unnest($1::text[], $2::bigint[]) as position(account, id) on position.account = a.name
         where n.id > $3 and n.id > coalesce(position.id, 0) and a.name <> all($5)
           and r.cause is distinct from 'imported' order by n.id limit $4)
       select at.oldest, at.next, found.* from at left join found on true order by found.id`,
      [own.map(([account]) => account), own.map(([, position]) => position), from, limit, others],
    );
    const { oldest = 0, next = 0 } = found[0] ?? {};
    const snapshots = found.filter(({ id }) => id !== null).map(({ oldest, next, ...one }) => one);
    const more = snapshots.length === limit;
    const isFinal = this.#earlier !== null && oldest >= this.#earlier.next;
    const settled = isFinal ? (this.#earlier?.last ?? 0) : 0;
    this.#settled = Math.max(this.#settled ?? 0, settled);
    const to = more ? Math.min(settled, snapshots.at(-1)?.id ?? 0) : settled;
    if (this.#earlier === null || isFinal) this.#earlier = { last, next };
    const positions = new Map(after);
    for (const [account, position] of own) positions.set(account, Math.max(position, to));
    for (const { account, id } of snapshots) positions.set(account, Math.max(positions.get(account) ?? to, id));
    return { snapshots, positions, more };
  }

  /** Returns the last id that a snapshot was given, whether or not it is committed. */
  async #lastId(): Promise<number> {
    const [found] = await this.#postgres.cells(
      "select coalesce(pg_sequence_last_value(pg_get_serial_sequence('snapshot', 'id')), 0)",
    );
    return Number(found?.[0] ?? 0);
  }

  rows(dataset: Dataset, snapshotId: number): Promise<Row[]> {
    // Named columns, so that the plan is kept: it takes longer than the query.
    const columns = columnNames(dataset).map((name) => `"${snakeCase(name)}"`);
    const sql = `select ${columns.join(", ")} from ${prefixOf(dataset)}_history where snapshot_id = $1`;
    return this.#postgres.query<Row>(sql, [snapshotId]);
  }

  lastOutcomes({ account, id }: StoredSnapshot, codes: readonly string[]) {
    return this.#postgres.query<{ scopeId: number; code: string | null }>(
      `select p.id as "scopeId", n.error_code as code
       from account a join series e on e.account_id = a.id join scope p on p.series_id = e.id
         cross join lateral (
           select error_code from snapshot
           where scope_id = p.id and id <= $2 and (error_code is null or error_code = any($3))
           order by taken_at desc, id desc limit 1) n
       where a.name = $1 and p.until is null
         and exists (select 1 from schedule c where c.series_id = e.id and c.until is null)`,
      [account, id, codes],
    );
  }

  open(): Promise<OpenAlert[]> {
    return this.#postgres.query<OpenAlert>(
      `select kind, account, subject, name, what, scope_id as "scopeId", fired_at as "firedAt" from alert order by fired_at, name`,
    );
  }

  async inactiveScopes(scopeIds: readonly number[]): Promise<number[]> {
    const found = await this.#postgres.cells(
      `select p.id from scope p where p.id = any($1) and (p.until is not null
         or not exists (select 1 from schedule c where c.series_id = p.series_id and c.until is null))`,
      [scopeIds],
    );
    return found.map(([id]) => Number(id));
  }

  peaks(account: string, from: number, to: number): Promise<EquityPeak[]> {
    return this.#postgres.query<EquityPeak>(
      "select account, hour, figure as equity from alert_figure where account = $1 and hour between $2 and $3 order by hour",
      [account, from, to],
    );
  }

  async drawdownsTo(): Promise<ReadonlyMap<string, number>> {
    const found = await this.#postgres.cells("select account, figure::bigint from alert_figure where hour = $1", [
      drawdownHour,
    ]);
    return new Map(found as [string, number][]);
  }

  waitingEquities(account: string, after: number): Promise<StoredSnapshot[]> {
    return this.#postgres.query<StoredSnapshot>(
      `select ${snapshotColumns} ${fromSnapshot} join run r on r.id = n.run_id
       where a.name = $1 and e.dataset = 'equity' and n.id > $2 and n.error_code is null
         and r.cause is distinct from 'imported'
         and n.id <= (select figure::bigint from alert_figure where account = $1 and hour = 0)
       order by n.id`,
      [account, after],
    );
  }

  async pricedUntil(coins: readonly string[], { id }: StoredSnapshot, from: number): Promise<number | null> {
    // A version with a price is valid until the next version of its item; older versions than the window are not read.
    const [found] = await this.#postgres.cells(
      `select max(coalesce(b.taken_at, n.taken_at)) from prices_item i
         join snapshot n on n.id = $2
         join prices_moving m on m.item_id = i.id and m.since <= $2 and m.price <> 0
           and m.since >= coalesce((
             select max(since) from prices_moving where item_id = i.id and since <= (
               select id from snapshot where scope_id = i.scope_id and taken_at <= $3 and error_code is null
               order by taken_at desc, id desc limit 1)), 0)
         left join snapshot b on b.id = (
           select min(since) from prices_moving where item_id = m.item_id and since > m.since and since <= $2)
       where i.coin = any($1) and i.quote = 'USDT'`,
      [coins, id, from],
    );
    return (found?.[0] as number | null | undefined) ?? null;
  }

  lastPrices(coins: readonly string[], { id }: StoredSnapshot) {
    return this.#postgres.query<{ coin: string; price: DecimalString }>(
      `select i.coin, coalesce(o.digits, m.price::text) as price from prices_item i
         cross join lateral (
           select item_id, since, price from prices_moving
           where item_id = i.id and since <= $2 and price <> 0 order by since desc limit 1) m
         left join odd_digits o on o.table_name = 'prices_moving' and o.row_key = m.item_id || ' ' || m.since
           and o.column_name = 'price'
       where i.coin = any($1) and i.quote = 'USDT'`,
      [coins, id],
    );
  }

  async record(changes: AlertChanges): Promise<boolean> {
    try {
      await this.#write((connection) => apply(connection, changes));
      return true;
    } catch (error) {
      if (error instanceof OutdatedError) return false;
      throw error;
    }
  }

  async publish(settings: object): Promise<void> {
    const given = [this.#sender, JSON.stringify(settings)];
    const found = await this.#postgres.cells(
      `select 1 from alert_figure where account = '' and hour = ${settingsHour} and figure::jsonb -> $1 = $2::jsonb`,
      given,
    );
    if (found.length === 0) await this.#write((connection) => connection.run(publish, given));
  }

  /** Returns the next message to send; null where none is pending, or where another process sends at present. */
  async nextPending(): Promise<Message | null> {
    if (!(await this.#pending())) return null;
    const isSender = await this.#write((connection) => connection.run(takeSending, [this.#sender, sendingMs]));
    return isSender === 1 ? this.#pending() : null;
  }

  async #pending(): Promise<Message | null> {
    const [next] = await this.#postgres.query<Message>(
      `select ${messageColumns} from alert_message where delivery = 'pending' order by id limit 1`,
    );
    return next ?? null;
  }

  async mark(messageId: number, { delivery, attempts, nextAt, problem }: DeliveryMark): Promise<void> {
    await this.#write((connection) =>
      connection.run(
        "update alert_message set delivery = $2, attempts = $3, next_at = $4, problem = $5 where id = $1",
        [messageId, delivery, attempts, nextAt, problem],
      ),
    );
  }
}

/** Adds the settings of a process to those of the others, without those of processes that are forgotten. */
const publish = `
  insert into alert_figure (account, hour, figure) values ('', ${settingsHour}, jsonb_build_object($1::text, $2::jsonb)::text)
  on conflict (account, hour) do update set figure = (
    select jsonb_object_agg(one.key, one.value)::text
    from jsonb_each(alert_figure.figure::jsonb || excluded.figure::jsonb) one
    where one.key = $1 or one.key in (select name from worker))`;

/** A process that sends messages is the only one until it has not done so for this long. Longer than a request may take. Milliseconds. */
const sendingMs = 60_000;

/** The process that sends, and until when, is stored as the figure of hour -1 of the account ''. */
const takeSending = `
  insert into alert_figure (account, hour, figure) values ('', -1, $1 || ' ' || (now_ms() + $2))
  on conflict (account, hour) do update set figure = excluded.figure
  where split_part(alert_figure.figure, ' ', 1) = $1 or split_part(alert_figure.figure, ' ', 2)::bigint < now_ms()`;

/** The position of an account is stored as its figure of hour 0; that of the account '' marks that evaluation has begun. */
const names = "with names(name) as (select '' union all select name from account)";
const withoutPosition = "from names where not exists (select 1 from alert_figure where account = name and hour = 0)";

/** An account without a position was added after evaluation had begun: none of its snapshots was evaluated. */
const addMissing = `
  ${names}
  insert into alert_figure (account, hour, figure)
  select name, 0, case when exists (select 1 from alert_figure where account = '' and hour = 0) then '0' else (
    select coalesce(max(n.id), 0)::text ${fromSnapshot} where a.name = names.name) end
  ${withoutPosition}
  on conflict do nothing`;

/** Writes positions that are still where they were read. Always in the same order, so that two processes do not wait for each other. */
const advance = `
  with given as (
    select * from unnest($1::text[], $2::text[], $3::text[]) as given(account, before, after)),
  locked as (
    select f.account, given.after from alert_figure f join given on given.account = f.account and given.before = f.figure
    where f.hour = 0 order by f.account for update of f),
  added as (
    insert into alert_figure (account, hour, figure) select account, 0, after from given where before is null order by account
    on conflict do nothing returning account),
  moved as (
    update alert_figure f set figure = locked.after from locked where f.account = locked.account and f.hour = 0
    returning f.account)
  select account from added union all select account from moved`;

const positionCells = (positions: AlertChanges["positions"]) => [
  positions.map(({ account }) => account),
  positions.map(({ from }) => (from === null ? null : String(from))),
  positions.map(({ to }) => String(to)),
];

const setFigure =
  "insert into alert_figure values ($1, $2, $3) on conflict (account, hour) do update set figure = excluded.figure";

async function apply(connection: Connection, changes: AlertChanges): Promise<void> {
  const { ended, fired, messages, peaks, drawdowns, positions } = changes;
  const require = (written: number, expected = 1) => {
    if (written !== expected) throw new OutdatedError();
  };
  if (positions.length > 0) require(await connection.run(advance, positionCells(positions)), positions.length);
  for (const { kind, account, subject } of ended)
    require(
      await connection.run("delete from alert where kind = $1 and account = $2 and subject = $3", [
        kind,
        account,
        subject,
      ]),
    );
  for (const { kind, account, subject, name, what, scopeId, firedAt } of fired)
    require(
      await connection.run(
        `insert into alert (kind, account, subject, name, what, scope_id, fired_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict do nothing`,
        [kind, account, subject, name, what, scopeId, firedAt],
      ),
    );
  for (const { account, to } of drawdowns) await connection.run(setFigure, [account, drawdownHour, String(to)]);
  for (const { account, hour, equity } of peaks) {
    await connection.run(setFigure, [account, hour, equity]);
    await connection.run("delete from alert_figure where account = $1 and hour > 0 and hour < $2", [
      account,
      hour - maxPeakHours * hourMs,
    ]);
  }
  await enqueue(connection, messages);
}

async function enqueue(connection: Connection, messages: AlertChanges["messages"]): Promise<void> {
  if (messages.length === 0) return;
  for (const { alert, kind, account, what, state, at, value, threshold, sentence, delivery } of messages)
    await connection.run(
      `insert into alert_message
         (alert, kind, account, what, state, at, value, threshold, sentence, delivery, attempts, next_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $6)`,
      [alert, kind, account, what, state, at, value, threshold, sentence, delivery],
    );
  await connection.run(
    `update alert_message set delivery = 'given up', problem = 'too many messages were pending' where delivery = 'pending'
       and id <= (select id from alert_message where delivery = 'pending' order by id desc limit 1 offset $1)`,
    [maxPending],
  );
  await connection.run("delete from alert_message where id <= (select max(id) from alert_message) - $1", [maxMessages]);
}
