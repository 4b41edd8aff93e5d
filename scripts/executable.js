// The compiler does not mark the program as one that can be run, and npx in a checkout does not either.
import { chmodSync } from "node:fs";

chmodSync(new URL("../dist/main.js", import.meta.url), 0o755);
