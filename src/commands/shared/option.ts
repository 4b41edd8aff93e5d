import type { CommandInput } from "../command.ts";

/** Returns the text of an option; undefined if it is not given. */
export function textOption(options: CommandInput["options"], name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}
