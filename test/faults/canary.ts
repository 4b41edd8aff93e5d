/** Secrets, looked for in every byte that was produced, raw and in the forms in which bytes travel. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SimulatedAccount } from "../../src/simulator/simulator.ts";
import type { Finished } from "../support/program.ts";

/** Where which secret was found, in a sentence each. Settings that hold them on purpose (`.env`, `*.secret`) are left out. */
export function secretsIn(
  accounts: readonly SimulatedAccount[],
  folder: string,
  printed: readonly Finished[],
): string[] {
  const places = [
    ...filesIn(folder).map((file) => ({ place: file, bytes: readFileSync(join(folder, file)) })),
    ...printed.map(({ stdout, stderr }) => ({ place: "what was printed", bytes: Buffer.from(stdout + stderr) })),
  ];
  return accounts.flatMap(({ key, secret, passphrase }) =>
    Object.entries({ key, secret, passphrase }).flatMap(([what, value]) =>
      places
        .filter(({ bytes }) => formsOf(value).some((form) => bytes.includes(form)))
        .map(({ place }) => `the ${what} is in ${place}`),
    ),
  );
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^\.env$|\.secret$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

/** Raw, as JSON and in an address, as hexadecimal digits, and as base64 wherever in a stream it begins. */
export function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    // What is left of the characters that depend on the bytes around it.
    const text = padded
      .toString("base64")
      .replace(/=+$/, "")
      .slice(before === 0 ? 0 : before + 1, -2);
    return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
  });
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    ...base64,
  ];
  return [...new Set(forms)];
}
