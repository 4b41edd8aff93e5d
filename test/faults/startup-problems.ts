/** Checks which settings the program refuses to start with. */
import { existsSync } from "node:fs";
import { expect } from "vitest";
import type { Bench, Settings } from "./row.ts";

/** Removes the credentials, for rows that provide them in another way. */
export const noKeys = { BITGET_API_KEY: undefined, BITGET_API_SECRET: undefined, BITGET_API_PASSPHRASE: undefined };

/** Expects `start` to be refused without any request or new file; returns the reported problems, one per line. */
export async function startupProblems({ exchange, path, run }: Bench, env: Settings): Promise<string[]> {
  const wasThere = existsSync(path);
  const asked = exchange.counts.requests;
  const { code, stdout, stderr } = await run(["start"], env);
  const [head, ...lines] = stderr.trimEnd().split("\n");
  expect({ env, code, stdout, head }).toEqual({ env, code: 78, stdout: "", head: "Configuration error:" });
  expect(lines.pop()).toContain(".env.example explains every setting");
  if (lines.at(-1)?.startsWith("`bitget-collector init` asks")) lines.pop();
  expect([existsSync(path), exchange.counts.requests]).toEqual([wasThere, asked]);
  return lines.map((line) => line.trim());
}

/** Expects one successful collection, with signatures that the exchange accepts. */
export async function expectCollects({ run, exchange }: Bench, env: Settings): Promise<void> {
  const { code, stdout } = await run(["collect", "spot-assets"], env);
  expect([code, stdout, exchange.counts.badSignatures]).toEqual([0, "main spot-assets ok\n", 0]);
}
