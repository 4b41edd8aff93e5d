/** Serialises a snapshot to one canonical text and hashes it with SHA-256, so that a changed digit is found years later. */
import { hash } from "node:crypto";
import type { Value } from "../../core/domain.ts";

/** Identifies a snapshot: dataset, account, product type ('' for the whole account), slot and taken_at in epoch ms. */
export type SnapshotHeader = readonly [
  dataset: string,
  account: string,
  productType: string,
  slot: number,
  takenAt: number,
];

/** Name and value of a column that was added to the dataset later. */
export type LaterValue = readonly [name: string, value: Value];

/**
 * Returns the canonical line of an item. `present` is 0 in the last row of an item that was removed; `extra` is JSON text. Values
 * of later columns are appended with their names, and only if not null, so that adding a column changes no existing line.
 */
export const itemLine = (
  present: 0 | 1,
  values: readonly Value[],
  extra: string | null,
  later: readonly LaterValue[] = [],
): string => JSON.stringify([present, ...values, extra, ...later.filter(([, value]) => value !== null).flat()]);

/** Returns the digest of a good snapshot. The lines are sorted, so their order does not matter. */
export const snapshotDigest = (heading: SnapshotHeader, lines: readonly string[]): Buffer =>
  sha256([JSON.stringify(heading), ...[...lines].sort()].join("\n"));

/** Returns the digest of a failed snapshot, which has an error instead of lines. */
export const failureDigest = (heading: SnapshotHeader, code: string, message: string): Buffer =>
  sha256(JSON.stringify([...heading, code, message]));

/** Bytes of a snapshot digest that are stored: enough to make a second snapshot with the same digest infeasible. */
const storedDigestBytes = 16;

/** Returns the part of a digest that is stored. */
export const truncateDigest = (digest: Buffer): Buffer => digest.subarray(0, storedDigestBytes);

/** Returns whether `stored` is the beginning of the digest; the first versions stored all 32 bytes. */
export const matchesDigest = (digest: Buffer, stored: Buffer): boolean =>
  stored.length >= storedDigestBytes && digest.subarray(0, stored.length).equals(stored);

/** Returns the link that follows `previous` in the chain. 32 bytes. */
export const linkDigest = (previous: Buffer, text: string): Buffer => sha256(`${previous.toString("hex")}\n${text}`);

/** Returns the digest of lines in their order. 64 hex digits. */
export const linesDigest = (lines: readonly string[]): string => sha256(lines.join("\n")).toString("hex");

const sha256 = (text: string): Buffer => hash("sha256", text, "buffer");
