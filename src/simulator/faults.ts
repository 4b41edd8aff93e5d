/** Injects faults: a queue in which each fault waits for the requests that it matches. */
import type { Admitted } from "./gateway.ts";

/** Applies to admitted requests only: a request that the gateway refuses does not use up a fault. */
export interface Fault {
  /** Path prefix it applies to. Default: any. */
  path?: string;
  /** Name of the account; public requests have none. */
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
  /** A body as it is instead: HTML, cut JSON, nothing. */
  body?: string;
  headers?: Record<string, string>;
  /** Waits first, then does the rest of it or answers as ever. */
  delayMs?: number;
  /** Never answers. */
  hang?: true;
  /** Resets the connection. */
  reset?: true;
  /** Milliseconds a byte, headers included. */
  drip?: number;
  /** Changes the good answer before it is sent. Numbers that JavaScript cannot hold: lossless-json's LosslessNumber. */
  edit?: (envelope: unknown) => unknown;
}

export interface Faults {
  add(fault: Fault): void;
  /** The first fault meant for such a request, counted as fired. */
  take(request: Admitted): Fault | null;
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
