import { readFileSync } from "node:fs";

/** Reads package.json, which has the same relative path in a checkout and in the package. */
const ownPackage = (): { version: string; engines: { node: string } } =>
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

/** Returns the version of this program. */
export const ownVersion = (): string => ownPackage().version;

/** Returns the oldest version of Node.js that this program supports, such as "20.19". */
export const oldestNode = (): string => ownPackage().engines.node.replace(/^>=/, "");
