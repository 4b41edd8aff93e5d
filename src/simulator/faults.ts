/** Injects faults: each fault in a queue waits for the requests that it matches. */
import type { Admitted } from "./gateway.ts";
import type { PageFault } from "./list-faults.ts";

/** A fault, applied to admitted requests only: a request that the gateway refuses does not use it up. */
export interface Fault {
  /** The path prefix of the requests that it applies to. Default: any. */
  path?: string;
  /** The name of the account; public requests have none. Default: any. */
  account?: string;
  /** Only requests with these query values. */
  params?: Record<string, string>;
  /** How often it fires. Default 1; Infinity is allowed. */
  times?: number;
  /** HTTP status. Default 400 with a code, else 200. */
  status?: number;
  /** A JSON error envelope with this code; with a status alone, the status is the code. */
  code?: string;
  message?: string;
  /** The raw body to send instead: HTML, truncated JSON, nothing. */
  body?: string;
  headers?: Record<string, string>;
  /** Delays the response. Milliseconds. */
  delayMs?: number;
  /** Never responds. */
  hang?: true;
  /** Resets the connection. */
  reset?: true;
  /** Sends one byte per this many milliseconds, headers included. */
  drip?: number;
  /** What is wrong with the page of a list. */
  list?: PageFault;
  /** Changes the good response before it is sent. Use LosslessNumber for numbers that JavaScript cannot represent. */
  edit?: (envelope: unknown) => unknown;
}

export interface Faults {
  add(fault: Fault): void;
  /** Returns the first fault that matches a request and counts it as used; null if there is none. */
  take(request: Admitted): Fault | null;
  /** Returns the number of faults that are not used up. */
  pending(): number;
  clear(): void;
}

export function createFaults(): Faults {
  let queue: { fault: Fault; left: number }[] = [];
  return {
    add(fault) {
      queue.push({ fault, left: fault.times ?? 1 });
    },
    take(request) {
      const found = queue.find(({ fault }) => isMatch(fault, request));
      if (!found) return null;
      found.left -= 1;
      queue = queue.filter(({ left }) => left > 0);
      return found.fault;
    },
    pending: () => queue.length,
    clear() {
      queue = [];
    },
  };
}

function isMatch({ path, account, params = {} }: Fault, request: Admitted): boolean {
  if (path !== undefined && !request.endpoint.path.startsWith(path)) return false;
  if (account !== undefined && account !== request.account?.name) return false;
  return Object.entries(params).every(([name, value]) => request.query[name] === value);
}
