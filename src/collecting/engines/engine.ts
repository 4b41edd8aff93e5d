/** What wakes the program up. What is due follows from the run ledger, and claiming keeps a slot from being run twice. */
export interface Engine {
  /** Calls `wake` at once, and about once a second from then on, whatever the clock does. `wake` does not throw. */
  start(wake: () => void): void;
  /** Wakes no more. */
  stop(): void;
}
