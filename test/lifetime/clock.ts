/** A clock that only moves when advanced, so that everything happens at the same times in every simulation. */
import type { Clock } from "../../src/core/clock.ts";

interface Alarm {
  at: number;
  action: () => void;
}

export class ManualClock implements Clock {
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

  /** Rounds the delay to whole milliseconds. */
  after(ms: number, action: () => void): () => void {
    const alarm = { at: this.#monotonic + Math.max(0, Math.round(ms)), action };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Returns the milliseconds until the next alarm; null where there is none. */
  untilAlarm(): number | null {
    const next = this.#next();
    return next && Math.max(0, next.at - this.#monotonic);
  }

  /** Lets `ms` pass; alarms on the way fire in order, each at its own time. */
  advance(ms: number): void {
    const end = this.#monotonic + ms;
    for (let next = this.#next(); next && next.at <= end; next = this.#next()) {
      this.#alarms.delete(next);
      this.#goTo(Math.max(next.at, this.#monotonic));
      next.action();
    }
    this.#goTo(end);
  }

  /** Moves only the wall clock, as a suspend or a time server does. */
  step(ms: number): void {
    this.#wall += ms;
  }

  /** Fires all pending alarms at once, without letting time pass. */
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
