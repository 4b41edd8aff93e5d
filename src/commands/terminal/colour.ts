/** Decides whether output is coloured, and colours it. */
import { UsageError } from "../../core/errors.ts";
import type { Environment } from "../../settings/env-file.ts";

export const colourChoices = ["auto", "always", "never"] as const;
export type ColourChoice = (typeof colourChoices)[number];

export const colourOption = { flags: "--color <when>", summary: "auto (the default: on a terminal), always or never" };

/**
 * Returns the choice of `--color`, which may be anywhere before `--`, and the other arguments.
 * @throws UsageError for an unknown choice
 */
export function takeColour(args: readonly string[]): { choice: ColourChoice; rest: string[] } {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const at = args.findIndex((arg, index) => index < end && /^--color(=|$)/.test(arg));
  if (at < 0) return { choice: "auto", rest: [...args] };
  const isJoined = args[at]?.includes("=") === true;
  const given = isJoined ? args[at]?.slice("--color=".length) : args[at + 1];
  const choice = colourChoices.find((one) => one === given);
  if (!choice) throw new UsageError(`unknown --color "${given ?? ""}"; use ${colourChoices.join(", ")}`);
  return { choice, rest: [...args.slice(0, at), ...args.slice(at + (isJoined ? 1 : 2))] };
}

/** Returns whether output is coloured: by `--color`, else NO_COLOR and CLICOLOR_FORCE, else on a terminal that is not dumb. */
export function isColoured(choice: ColourChoice, env: Environment, isTerminal: boolean): boolean {
  if (choice !== "auto") return choice === "always";
  if (env.NO_COLOR) return false;
  if (env.CLICOLOR_FORCE && env.CLICOLOR_FORCE !== "0") return true;
  return isTerminal && env.TERM !== "dumb";
}

const codes = { good: "\u001b[32m", bad: "\u001b[31m", warning: "\u001b[33m", head: "\u001b[2m", title: "\u001b[1m" };

export const paint = (tone: keyof typeof codes, text: string): string => `${codes[tone]}${text}\u001b[0m`;
