import { readFileSync } from "node:fs";

/** As in package.json, which lies above this file both in a checkout and in the package. */
export function ownVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
