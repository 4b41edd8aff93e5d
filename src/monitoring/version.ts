import { readFileSync } from "node:fs";

/** Returns the version in package.json, which has the same relative path in a checkout and in the package. */
export function ownVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
