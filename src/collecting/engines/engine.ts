/** Calls the program regularly. What is due follows from the run ledger, and claiming prevents a slot from being run twice. */
export interface Engine {
  /** Calls `wake` at once, and about once a second from then on, even if the clock is set. `wake` must not throw. */
  start(wake: () => void): void;
  /** Stops calling. */
  stop(): void;
}
