/** Makes what several test files begin with once in a run of the tests. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import { until } from "./wait.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The folder of what was made. */
    madeOnce: string;
  }
}

/** The global setup of vitest. */
export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "collector-once-"));
  project.provide("madeOnce", folder);
  return () => rmSync(folder, { recursive: true });
}

/** Returns the path of a file that the first caller in any process made, for the others to read or copy. */
export async function madeOnce(name: string, make: (path: string) => Promise<unknown>): Promise<string> {
  const path = join(inject("madeOnce"), name);
  const [made, failed] = [`${path}.made`, `${path}.failed`];
  try {
    mkdirSync(`${path}.claimed`);
  } catch {
    await until(() => existsSync(made) || existsSync(failed));
    if (existsSync(failed)) throw new Error(`another test file could not make ${name}`);
    return path;
  }
  try {
    await make(path);
    writeFileSync(made, "");
    return path;
  } catch (error) {
    writeFileSync(failed, "");
    throw error;
  }
}
