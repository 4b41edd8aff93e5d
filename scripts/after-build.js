// Completes the build after the TypeScript compiler.
import { chmodSync, cpSync } from "node:fs";

const at = (path) => new URL(`../${path}`, import.meta.url);

// Neither the compiler nor npx in a checkout makes the program executable.
chmodSync(at("dist/main.js"), 0o755);
// Assets are served unchanged.
cpSync(at("src/web/assets"), at("dist/web/assets"), { recursive: true });
