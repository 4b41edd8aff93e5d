/**
 * What can go wrong, in families that differ in what to do next. Each message is for the person who has to act: what
 * happened, where, what to do. None carries headers, options or a `cause` that might: that is how keys reach logs.
 */

/** One word for a failure, stored where the exchange gave no code of its own. */
export type FailureKind =
  | "network" // no answer: refused, reset, no such host
  | "timeout" // no answer in time
  | "tls" // the host could not prove who it is
  | "redirect" // the host sent us elsewhere; not followed
  | "upstream" // 5xx
  | "rate_limited"
  | "bad_body" // an answer that is no answer: empty, HTML, cut, not an object
  | "too_large"
  | "clock" // our clock and the exchange's are too far apart
  | "auth" // key, signature, passphrase, address not allowed
  | "permission" // the key is good but may not read this
  | "mode" // the account uses another API version
  | "maintenance"
  | "absent" // the exchange has no such product type
  | "unknown" // what this builds on is not known
  | "api" // any other code of the exchange
  | "shape" // an answer that is not what is documented
  | "deadline" // the run's time was up
  | "storage"
  | "disk_space" // too little room for another run
  | "internal";

export abstract class CollectorError extends Error {
  override readonly name: string = this.constructor.name;
  abstract readonly kind: FailureKind | "config" | "usage" | "locked" | "query";
  /** The code that is stored: the exchange's where there is one, else our kind. At most 16 characters. */
  get code(): string {
    return this.kind;
  }
}

/** The exchange gave no usable answer. `path` has no query. */
export class NetworkError extends CollectorError {
  readonly kind: FailureKind;
  /** How long the exchange asked us to wait, where it did. Milliseconds. */
  readonly retryAfterMs: number | null;

  constructor(kind: FailureKind, path: string, problem: string, retryAfterMs: number | null = null) {
    super(`${path}: ${problem}`);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The exchange answered with a code other than success. */
export class ApiError extends CollectorError {
  readonly kind: FailureKind;
  readonly #code: string;
  /** As in NetworkError. */
  readonly retryAfterMs: number | null;

  constructor(kind: FailureKind, path: string, code: string, problem: string, retryAfterMs: number | null = null) {
    super(`${path}: ${problem}`);
    this.kind = kind;
    this.#code = code.slice(0, 16);
    this.retryAfterMs = retryAfterMs;
  }

  override get code(): string {
    return this.#code;
  }
}

/** An answer whose shape is not the documented one. `field` says where: `data[3].available`. */
export class ShapeError extends CollectorError {
  readonly kind = "shape";

  constructor(path: string, field: string, problem: string) {
    super(`${path}: ${field}: ${problem}`);
  }
}

/** Settings that cannot be used, or a state of things in which going on would be a guess. All problems at once. Exit 78. */
export class ConfigError extends CollectorError {
  readonly kind = "config";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** Wrong arguments on the command line. Exit 64. */
export class UsageError extends CollectorError {
  readonly kind = "usage";
}

/** A statement that is not answered: refused, wrong, or stopped at a limit. Exit 1. */
export class QueryError extends CollectorError {
  readonly kind = "query";
}

/** Another process collects into this database. Exit 75. */
export class LockedError extends CollectorError {
  readonly kind = "locked";
}

/** The database is gone, or cannot be written just now. Exit 74. */
export class StorageError extends CollectorError {
  readonly kind = "storage";
  /** True where waiting does not help: the file in use was moved, deleted or replaced. */
  readonly gone: boolean;

  constructor(message: string, { gone = false } = {}) {
    super(message);
    this.gone = gone;
  }
}

/** The disk of the database has too little room for another run. */
export class SpaceError extends CollectorError {
  readonly kind = "disk_space";
}

/** The run's deadline passed, or the program is stopping. */
export class DeadlineError extends CollectorError {
  readonly kind = "deadline";
}

/** Rows cannot be made because what they build on was never read. */
export class UnknownError extends CollectorError {
  readonly kind = "unknown";
}
