/** How stored rows compare with their raw responses, parsed again. */
import type { Value } from "../../core/domain.ts";
import { CollectorError } from "../../core/errors.ts";
import type { RequestKey } from "./reparse.ts";

/** How a stored snapshot compares with its raw response, parsed again. */
export type ReplayOutcome =
  /** All cells are the same, or the snapshot fails with the same code. */
  | "same"
  | "different"
  /** The snapshot is good, but the current parser rejects its response. */
  | "rejected"
  /** The snapshot failed in the parser, but the current one accepts its response. */
  | "readable"
  /** Its rows were also computed from other datasets. */
  | "computed"
  /** The snapshot failed for another reason than this response. */
  | "other failure"
  /** Its response is not kept, or was altered. */
  | "no response";

/** A differing cell, or (field "row") a row that only one side has. */
export interface Difference {
  item: string;
  field: string;
  stored: Value;
  reparsed: Value;
}

/** The result of parsing the response of one snapshot again. */
export interface Replayed extends RequestKey {
  snapshotId: number;
  scopeId: number;
  outcome: ReplayOutcome;
  differences: Difference[];
  /** Why the current parser rejects the response; null if it does not. */
  problem: string | null;
}

/** A snapshot, good or failed, with the request that made it. */
export interface StoredSnapshot extends RequestKey {
  id: number;
  scopeId: number;
  takenAt: number;
  errorCode: string | null;
}

/** What a comparison found. */
export type Finding = Pick<Replayed, "outcome"> & Partial<Replayed>;

/** Codes of failures that another parser may avoid. */
export const parserCodes = ["shape", "bad_body", "internal"];

/** Returns the code and the message of a failure of the current parser. */
export function failureOf(error: unknown): { code: string; problem: string } {
  if (error instanceof CollectorError) return { code: error.code, problem: error.message };
  const problem = error instanceof Error ? error.message : String(error);
  return { code: error instanceof RangeError ? "shape" : "internal", problem };
}
