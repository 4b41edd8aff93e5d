// What the compiler leaves undone.
import { chmodSync, cpSync } from "node:fs";

const at = (path) => new URL(`../${path}`, import.meta.url);

// It does not mark the program as one that can be run, and npx in a checkout does not either.
chmodSync(at("dist/main.js"), 0o755);
// What browsers are sent is sent as it is.
cpSync(at("src/web/assets"), at("dist/web/assets"), { recursive: true });
