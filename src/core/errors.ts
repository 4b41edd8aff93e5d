/**
 * The errors of the program, by what has to be done next. Each message states what happened, where, and what to do. No error
 * has headers, options or a `cause` attached, because these could bring API keys into logs.
 */

/** The kind of a failure, stored if the exchange sent no error code. */
export type FailureKind =
  | "network" // no response: refused, reset, no such host
  | "timeout" // no response in time
  | "tls" // the certificate of the host was not accepted
  | "redirect" // HTTP 3xx; not followed
  | "upstream" // 5xx
  | "rate_limited"
  | "bad_body" // an unusable response: empty, HTML, truncated, not an object
  | "too_large"
  | "clock" // our clock and the exchange's are too far apart
  | "auth" // key, signature or passphrase wrong, or IP address not allowed
  | "permission" // the key is valid but may not read this
  | "mode" // the account uses another API version
  | "maintenance"
  | "absent" // the exchange has no such product type
  | "unknown" // data that this depends on is unknown
  | "api" // any other code of the exchange
  | "shape" // a response with another schema than documented
  | "deadline" // the run's time was up
  | "storage"
  | "disk_space" // too little space for another run
  | "internal";

export abstract class CollectorError extends Error {
  override readonly name: string = this.constructor.name;
  abstract readonly kind: FailureKind | "config" | "usage" | "locked" | "query";
  /** The code that is stored: the exchange's, or the kind of failure if there is none. At most 16 characters. */
  get code(): string {
    return this.kind;
  }
}

/** The exchange sent no usable response. `path` has no query. */
export class NetworkError extends CollectorError {
  readonly kind: FailureKind;
  /** How long the exchange requires us to wait; null if it did not specify. Milliseconds. */
  readonly retryAfterMs: number | null;

  constructor(kind: FailureKind, path: string, problem: string, retryAfterMs: number | null = null) {
    super(`${path}: ${problem}`);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The exchange responded with an error code. */
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

/** A response that does not match the documented schema. `field` is its position: `data[3].available`. */
export class ShapeError extends CollectorError {
  readonly kind = "shape";

  constructor(path: string, field: string, problem: string) {
    super(`${path}: ${field}: ${problem}`);
  }
}

/** Invalid settings, or a situation in which continuing would be a guess. Lists all problems at once. Exit code 78. */
export class ConfigError extends CollectorError {
  readonly kind = "config";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** Wrong arguments on the command line. Exit code 64. */
export class UsageError extends CollectorError {
  readonly kind = "usage";
}

/** A statement that was rejected, is invalid, or was stopped at a limit. Exit code 1. */
export class QueryError extends CollectorError {
  readonly kind = "query";
}

/** Another process collects into this database. Exit code 75. */
export class LockedError extends CollectorError {
  readonly kind = "locked";
}

/** The database file was replaced, or cannot be written at the moment. Exit code 74. */
export class StorageError extends CollectorError {
  readonly kind = "storage";
  /** True if retrying does not help: the file in use was moved, deleted or replaced. */
  readonly fileLost: boolean;

  constructor(message: string, { fileLost = false } = {}) {
    super(message);
    this.fileLost = fileLost;
  }
}

/** The disk of the database has too little space for another run. */
export class SpaceError extends CollectorError {
  readonly kind = "disk_space";
}

/** The run's deadline passed, or the program is stopping. */
export class DeadlineError extends CollectorError {
  readonly kind = "deadline";
}

/** Rows cannot be computed because the data they depend on was never read. */
export class UnknownError extends CollectorError {
  readonly kind = "unknown";
}
