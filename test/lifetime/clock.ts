/** A clock that stands still until it is told to go on, so that the same things happen at the same instants every time. */
import type { Clock } from "../../src/core/clock.ts";

interface Alarm {
  at: number;
  action: () => void;
}

export class StillClock implements Clock {
  #wall: number;
  #monotonic = 0;
  readonly #alarms = new Set<Alarm>();

  constructor(start: number) {
    this.#wall = start;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  /** To the whole millisecond. */
  after(ms: number, action: () => void): () => void {
    const alarm = { at: this.#monotonic + Math.max(0, Math.round(ms)), action };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Milliseconds until the next alarm; null where there is none. */
  untilAlarm(): number | null {
    const next = this.#next();
    return next && Math.max(0, next.at - this.#monotonic);
  }

  /** Lives through so many milliseconds; what is due on the way happens at its instant, in order. */
  live(ms: number): void {
    const end = this.#monotonic + ms;
    for (let next = this.#next(); next && next.at <= end; next = this.#next()) {
      this.#alarms.delete(next);
      this.#goTo(Math.max(next.at, this.#monotonic));
      next.action();
    }
    this.#goTo(end);
  }

  /** Moves the wall clock alone, as a sleep does, or a time server. */
  step(ms: number): void {
    this.#wall += ms;
  }

  /** Whatever waits waits no longer; no time passes. */
  release(): void {
    const waiting = [...this.#alarms];
    this.#alarms.clear();
    for (const { action } of waiting) action();
  }

  #goTo(monotonic: number): void {
    this.#wall += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }

  #next(): Alarm | null {
    let first: Alarm | null = null;
    for (const alarm of this.#alarms) if (first === null || alarm.at < first.at) first = alarm;
    return first;
  }
}
