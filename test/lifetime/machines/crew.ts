/** Several collectors on one PostgreSQL, all of which live by the same clock: that of the simulation, which the database has too. */
import type { ManualClock } from "../clock.ts";
import { createDaemons, type Daemon } from "../daemon.ts";

interface Member {
  daemon: Daemon | null;
  /** Its clock, epoch ms. */
  at: number;
  /** `waiting`: for time. */
  state: "busy" | "waiting" | "done" | "held";
  /** What it waits for: how much time, and who is told how much has passed. */
  wish: { ms: number; grant(ms: number): void } | null;
}

/** How far a collector may fall behind while others wait for time, as between two ticks. Milliseconds. */
const tickMs = 1000;

export class Crew {
  readonly #truth: ManualClock;
  readonly #onTime: (now: number) => Promise<void>;
  readonly #settings: (name: string) => Record<string, string>;
  readonly #daemons = createDaemons();
  readonly #members = new Map<string, Member>();
  #settled = () => {};
  #fail = (_error: unknown) => {};

  /** `onTime` sets the clock of the database. */
  constructor(
    truth: ManualClock,
    onTime: (now: number) => Promise<void>,
    settings: (name: string) => Record<string, string>,
  ) {
    this.#truth = truth;
    this.#onTime = onTime;
    this.#settings = settings;
  }

  get names(): string[] {
    return [...this.#members.keys()];
  }

  /** Starts a collector. Resolves when everybody has done what is due. */
  async start(name: string): Promise<void> {
    const member: Member = { daemon: null, at: this.#truth.now(), state: "busy", wish: null };
    this.#members.set(name, member);
    const begin = { now: member.at, settings: this.#settings(name), killPoint: null };
    await this.#settle(() =>
      this.#follow(
        member,
        this.#daemons
          .start(begin, (ms) => this.#wish(member, ms))
          .then((daemon) => {
            member.daemon = daemon;
            return "done" as const;
          }),
      ),
    );
  }

  /** Lets time pass up to `instant`. Resolves when everybody has done what is due, or waits for withheld responses. */
  async advanceTo(instant: number): Promise<void> {
    await this.#pass(Math.max(0, instant - this.#truth.now()));
    await this.#settle(() => {
      for (const member of this.#members.values()) if (member.state !== "held") this.#order(member);
    });
  }

  /** Says that a collector waits for so many withheld responses. */
  withhold(name: string, count: number): void {
    this.#members.get(name)?.daemon?.withhold(count);
  }

  async kill(name: string): Promise<void> {
    await this.#take(name).kill();
  }

  /** Resolves when the collector has killed itself at its next commit. */
  async killInNextWrite(name: string, at: "unwritten" | "written", release: () => void): Promise<void> {
    await this.#take(name).killInNextWrite(at, release);
  }

  /** Continues a collector that was suspended while it waited for withheld responses. */
  async wake(name: string): Promise<void> {
    const member = this.#members.get(name);
    if (!member?.daemon) throw new Error(`${name} does not run`);
    const { daemon } = member;
    const ms = this.#truth.now() - member.at;
    member.at = this.#truth.now();
    await this.#settle(() => {
      member.state = "busy";
      this.#follow(member, daemon.step(ms));
    });
  }

  async stop(): Promise<void> {
    for (const name of this.names) await this.#take(name).stop();
  }

  close(): void {
    this.#daemons.close();
  }

  /** Takes a collector out, which is about to end. */
  #take(name: string): Daemon {
    const daemon = this.#members.get(name)?.daemon;
    if (!daemon) throw new Error(`${name} does not run`);
    this.#members.delete(name);
    return daemon;
  }

  async #pass(ms: number): Promise<void> {
    this.#truth.advance(ms);
    await this.#onTime(this.#truth.now());
  }

  #order(member: Member): void {
    const { daemon } = member;
    if (!daemon) return;
    const ms = this.#truth.now() - member.at;
    member.at = this.#truth.now();
    member.state = "busy";
    this.#follow(member, daemon.advance(ms));
  }

  #follow(member: Member, work: Promise<"done" | "held">): void {
    void work.then(
      (state) => {
        member.state = state;
        this.#look();
      },
      (error) => this.#fail(error),
    );
  }

  #wish(member: Member, ms: number): Promise<number> {
    return new Promise((grant) => {
      member.state = "waiting";
      member.wish = { ms, grant };
      this.#look();
    });
  }

  /** Resolves when nobody is busy or waits for time after `begin`. */
  async #settle(begin: () => void): Promise<void> {
    const settled = new Promise<void>((resolve, reject) => {
      this.#settled = resolve;
      this.#fail = reject;
    });
    begin();
    this.#look();
    await settled;
  }

  /** Lets time pass as soon as nobody is busy, no more than the first one waits for. */
  #look(): void {
    const members = [...this.#members.values()];
    if (members.some(({ state }) => state === "busy")) return;
    const wishes = members.flatMap((member) => (member.wish ? [{ member, ...member.wish }] : []));
    if (wishes.length === 0) {
      this.#settled();
      return;
    }
    const ms = Math.min(...wishes.map((one) => one.ms));
    for (const { member } of wishes) {
      member.wish = null;
      member.state = "busy";
    }
    void this.#pass(ms).then(() => {
      for (const { member, grant } of wishes) {
        // A collector that began while others waited may be behind.
        const passed = this.#truth.now() - member.at;
        member.at = this.#truth.now();
        grant(passed);
      }
      for (const member of members)
        if (member.state === "done" && this.#truth.now() - member.at >= tickMs) this.#order(member);
    }, this.#fail);
  }
}
