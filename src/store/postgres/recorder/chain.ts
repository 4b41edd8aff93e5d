/** Appends links to the chain of an account, in the transaction that has locked its row. */
import { genesis, type Note, noteText, type RunCells, runText, type SnapshotDigest } from "../../chain/chain.ts";
import { linkDigest } from "../../schema/digest.ts";
import { link } from "../../schema/tables.ts";
import type { Connection } from "../connection.ts";
import { insertWithIds } from "./rows.ts";

interface NewLink {
  text: string;
  runId: number | null;
  note: string | null;
}

/** The new links of an account; `write` stores them. */
export class AccountChain {
  readonly #connection: Connection;
  readonly #chain: number;
  #links: NewLink[] = [];

  constructor(connection: Connection, accountId: number) {
    this.#connection = connection;
    this.#chain = accountId;
  }

  /** Appends the link of a run that has its final row. `snapshots` are all of its snapshots, in the order of their ids. */
  appendRun(runId: number, cells: RunCells, snapshots: readonly SnapshotDigest[]): void {
    this.#links.push({ text: runText(cells, snapshots), runId, note: null });
  }

  /** Appends a note, about a run if `runId` is given. */
  appendNote(note: Note, runId: number | null = null): void {
    const text = JSON.stringify(note);
    this.#links.push({ text: noteText(text, runId), runId, note: text });
  }

  /** Stores the appended links. */
  async write(): Promise<void> {
    if (this.#links.length === 0) return;
    const last = await this.#connection.query<{ digest: Buffer }>(
      "select digest from link where chain = $1 order by id desc limit 1",
      [this.#chain],
    );
    let previous = last[0]?.digest ?? genesis;
    const rows = this.#links.map(({ text, runId, note }) => {
      previous = linkDigest(previous, text);
      return [runId, note, previous, this.#chain];
    });
    this.#links = [];
    await insertWithIds(this.#connection, link, ["run_id", "note", "digest", "chain"], rows);
  }
}
