/** What does not start, and what does. */
import { existsSync } from "node:fs";
import { expect } from "vitest";
import type { Bench, Settings } from "./row.ts";

/** For a daemon that gets its keys in another way. */
export const noKeys = { BITGET_API_KEY: undefined, BITGET_API_SECRET: undefined, BITGET_API_PASSPHRASE: undefined };

/** Starts what must not start; returns the problems, a line each. Nothing was asked and nothing was made. */
export async function refusal({ exchange, path, run }: Bench, env: Settings): Promise<string[]> {
  const wasThere = existsSync(path);
  const asked = exchange.counts.requests;
  const { code, stdout, stderr } = await run(["start"], env);
  const [head, ...lines] = stderr.trimEnd().split("\n");
  expect({ env, code, stdout, head }).toEqual({ env, code: 78, stdout: "", head: "Configuration error:" });
  expect(lines.pop()).toContain(".env.example explains every setting");
  expect([existsSync(path), exchange.counts.requests]).toEqual([wasThere, asked]);
  return lines.map((line) => line.trim());
}

/** Collects once; what the exchange counted shows that the key was understood. */
export async function expectCollects({ run, exchange }: Bench, env: Settings): Promise<void> {
  const { code, stdout } = await run(["collect", "spot-assets"], env);
  expect([code, stdout, exchange.counts.badSignatures]).toEqual([0, "main spot-assets ok\n", 0]);
}
