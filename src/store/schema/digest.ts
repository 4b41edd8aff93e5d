/** What a snapshot said, as one canonical text, and its SHA-256: how a changed digit is found years later. */
import { hash } from "node:crypto";
import type { Value } from "../../core/domain.ts";

/** Which snapshot: dataset, account, product type ('' for the whole account), slot and taken_at in epoch ms. */
export type SnapshotHeader = readonly [
  dataset: string,
  account: string,
  productType: string,
  slot: number,
  takenAt: number,
];

/** Name and value of a column that the dataset did not have from the start. */
export type LaterValue = readonly [name: string, value: Value];

/**
 * One item in one line. `present` is 0 in the last row of an item that has vanished; `extra` is JSON text. Later values are in
 * it by name, and only where something is known: so the line of a snapshot from before such a column stays what it was.
 */
export const itemLine = (
  present: 0 | 1,
  values: readonly Value[],
  extra: string | null,
  later: readonly LaterValue[] = [],
): string => JSON.stringify([present, ...values, extra, ...later.filter(([, value]) => value !== null).flat()]);

/** Of a good snapshot: its lines in the order of their characters. */
export const snapshotDigest = (heading: SnapshotHeader, lines: readonly string[]): Buffer =>
  sha256([JSON.stringify(heading), ...[...lines].sort()].join("\n"));

/** Of a failed one: what is known about it. */
export const failureDigest = (heading: SnapshotHeader, code: string, message: string): Buffer =>
  sha256(JSON.stringify([...heading, code, message]));

/** What is kept of a snapshot's digest: enough that nobody finds another snapshot with the same. Bytes. */
const storedDigestBytes = 16;

export const truncateDigest = (digest: Buffer): Buffer => digest.subarray(0, storedDigestBytes);

/** True where `stored` is the beginning of the digest; the first databases kept all 32 bytes. */
export const matchesDigest = (digest: Buffer, stored: Buffer): boolean =>
  stored.length >= storedDigestBytes && digest.subarray(0, stored.length).equals(stored);

/** The link of a chain that follows `previous`. 32 bytes. */
export const linkDigest = (previous: Buffer, text: string): Buffer => sha256(`${previous.toString("hex")}\n${text}`);

/** Of lines that must stay as they are. 64 hex digits. */
export const linesDigest = (lines: readonly string[]): string => sha256(lines.join("\n")).toString("hex");

const sha256 = (text: string): Buffer => hash("sha256", text, "buffer");
