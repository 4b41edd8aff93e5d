/** The types that all parts of the program share. Imports nothing. */

/** A version of the exchange's API. v1 is switched off, v2 serves classic accounts, v3 unified ones. */
export type ApiVersion = "v1" | "v2" | "v3";

/** The name of a dataset, as in `spot-assets`. `datasets/index.ts` lists those there are. */
export type DatasetName = string;

/** A futures product type, as API v1 spells it. */
export const productTypes = ["umcbl", "dmcbl", "cmcbl", "sumcbl", "sdmcbl", "scmcbl"] as const;
export type ProductType = (typeof productTypes)[number];

/** The categories of the unified wallet, each listed on its own. */
export const unifiedCategories = ["SPOT", "MARGIN", "USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES", "OTHER"] as const;
export type UnifiedCategory = (typeof unifiedCategories)[number];

/** Lists of records that belong to no product type: those of a wallet, of one of its categories, or of one side of a transfer. */
export const recordCategories = [
  ...(["spot", "funding", "margin-crossed", "margin-isolated", "initiator", "receiver"] as const),
  ...unifiedCategories.map((category) => `unified/${category}` as const),
] as const;
export type RecordCategory = (typeof recordCategories)[number];

/** The ledger of one pair of isolated margin, which has balances of its own. */
export type IsolatedPair = `margin-isolated/${string}`;

/**
 * The part of a dataset that one response covers: a product type, the unified wallet, a category of records, a pair of isolated
 * margin, or (null) the whole account.
 */
export type Scope = ProductType | "unified" | RecordCategory | IsolatedPair | null;

/** A decimal number as plain digits: "-0.50". Money has no other representation. */
export type DecimalString = string;

/** The name under which datasets that belong to no account (public prices) are recorded. */
export const publicAccount = "public";

/** What starts a run: a schedule, or a user who runs it manually (`demand`). */
export type Trigger = "schedule" | "demand";

/** Returns whether a slot belongs to a schedule: those are whole seconds, the slots of manual runs never are. */
export const isDueSlot = (slot: number): boolean => slot % 1000 === 0;

/** Returns the slot of a manual run that starts at `instant`: that millisecond, or the next one if it is a whole second. Epoch ms. */
export const manualSlot = (instant: number): number => (isDueSlot(instant) ? instant + 1 : instant);

/** The state of a run; `running` exists only while a process executes it, the others are final. */
export const runStates = ["running", "ok", "partial", "failed", "missed", "skipped"] as const;
export type RunState = (typeof runStates)[number];

/** Why a run has its state, if the exchange is not the reason; stored in the run ledger and shown in `gaps`. */
export const causes = {
  /** Run, but more than a second after its time. */
  late: "late",
  /** Reached when there was no time left to run it. */
  tooLate: "too late",
  /** The previous run was still in progress. */
  overlap: "overlap",
  notRunning: "not running",
  asleep: "asleep or clock set forward",
  /** The process existed but could not act: it was suspended or got no processor time. */
  blocked: "blocked",
  /** The exchange had not confirmed this machine's clock. */
  unconfirmed: "clock not confirmed",
  /** The database could not be written. */
  storage: "storage",
  /** The account's API version does not provide the dataset. */
  notOffered: "not offered",
  /** Deleted by the exchange before a run read it. */
  forgotten: "not read in time",
  /** Deleted by the exchange while the dataset had no schedule. */
  switchedOff: "switched off",
  /** Imported from exported files; the run was executed for another database. */
  imported: "imported",
} as const;

/** A value that must not be printed. Only `reveal` returns it; every implicit conversion returns a placeholder. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}

/** A named set of credentials and its API version ("auto": detected). */
export interface Account {
  name: string;
  key: Secret;
  /** An HMAC secret, or an RSA private key in PEM. */
  secret: Secret;
  passphrase: Secret;
  api: ApiVersion | "auto";
}

/**
 * Describes one endpoint of the exchange. Its use and the meaning of its response are defined by the datasets.
 * `perSecond` is the documented limit, counted per user (`uid`) or per internet address (`ip`); 0.1 is one request in ten seconds.
 */
export interface ApiEndpoint {
  name: string;
  version: ApiVersion;
  path: string;
  perSecond: number;
  per: "uid" | "ip";
  /** Public endpoints are requested without a signature. */
  signed: boolean;
  /** The accepted parameters; those ending in `*` are required. */
  params: readonly string[];
  summary: string;
}

export type Params = Readonly<Record<string, string>>;

/** The body of one response, its numbers still as decimal strings, with its time on both clocks. */
export interface ApiResponse {
  data: unknown;
  /** The exchange's clock: `requestTime`, or where it is missing the local clock corrected by the measured offset. Epoch ms. */
  takenAt: number;
  /** The local clock when the response had arrived. Epoch ms. */
  receivedAt: number;
}

/** The requests of one run, counted by the client during the run. */
export interface Tally {
  requests: number;
  retries: number;
  /** Requests that the exchange rate-limited (HTTP 429 and equivalent codes). */
  rateLimited: number;
  /** Responses in which the exchange answered, refusals included. */
  responses: number;
}

export const newTally = (): Tally => ({ requests: 0, retries: 0, rateLimited: 0, responses: 0 });

/** The value of a cell: amounts are decimal strings, times epoch ms, flags 0 or 1, and null is unknown. */
export type Value = string | number | null;
export type Row = Record<string, Value>;

/** Unknown fields as the exchange sent them; null for none. */
export type Extra = Record<string, unknown> | null;

/** One item of a response, mapped to columns; `extra` holds the fields without a column. */
export interface Item {
  row: Row;
  extra: Extra;
}

/** One complete response for one scope. An empty list of items is a fact: the exchange reported none. */
export interface Snapshot {
  scope: Scope;
  takenAt: number;
  items: Item[];
}

/** A scope that could not be read, with the exchange's error code, or the kind of failure if there is none. */
export interface FailedSnapshot {
  scope: Scope;
  /** When the last attempt ended, by our clock corrected by the measured offset. Epoch ms. */
  takenAt: number;
  code: string;
  message: string;
}

/** A range of event times. Epoch ms, both ends included. */
export interface TimeRange {
  from: number;
  to: number;
}

/** A range that is read page by page; `cursor` is that of the next page, null for the first one. */
export interface Window extends TimeRange {
  cursor: string | null;
}

/** How far one scope of an incremental dataset was read by the end of a run. */
export interface ReadProgress {
  /** The watermark: everything up to here was read, except holes. Epoch ms, by the exchange's clock. */
  through: number;
  /** The window that the run did not finish; null where there is none. */
  window: Window | null;
  /** A range that this run found deleted by the exchange before it was read; null if there is none. */
  hole: TimeRange | null;
}

/** The records that one run read of one scope of an incremental dataset, in the order of the responses, stored ones included. */
export interface RecordBatch extends Snapshot {
  reading: ReadProgress;
}

/** The last good rows of one scope, for datasets that depend on others. */
export interface KnownRows {
  account: string;
  scope: Scope;
  /** The slot whose run stored them. Epoch ms. */
  slot: number;
  takenAt: number;
  rows: Row[];
}

/** A cell read from the history: amounts as digits, integers as bigint so that none is rounded, times as ISO 8601, null for unknown. */
export type Cell = string | number | bigint | Uint8Array | null;

/** Returns a cell as text: "" for null, hexadecimal digits for a blob; a real number keeps its point ("1.0"). */
export function cellText(cell: Cell): string {
  if (cell === null) return "";
  if (cell instanceof Uint8Array) return Buffer.from(cell).toString("hex");
  return Number.isInteger(cell) && Math.abs(Number(cell)) < 1e21 ? `${cell}.0` : String(cell);
}
