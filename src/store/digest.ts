/** What a snapshot said, as one canonical text, and its SHA-256: how a changed digit is found years later. */
import { createHash } from "node:crypto";
import type { Value } from "../domain.ts";

/** Which snapshot: dataset, account, product type ('' for the whole account), slot and taken_at in epoch ms. */
export type Heading = readonly [dataset: string, account: string, productType: string, slot: number, takenAt: number];

/** One item in one line. `present` is 0 in the last row of an item that has vanished; `extra` is JSON text. */
export const itemLine = (present: 0 | 1, values: readonly Value[], extra: string | null): string =>
  JSON.stringify([present, ...values, extra]);

/** Of a good snapshot: its lines in the order of their characters. */
export const digestOf = (heading: Heading, lines: readonly string[]): Buffer =>
  sha256([JSON.stringify(heading), ...[...lines].sort()].join("\n"));

/** Of a failed one: what is known about it. */
export const failureDigestOf = (heading: Heading, code: string, message: string): Buffer =>
  sha256(JSON.stringify([...heading, code, message]));

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
