/** The options that every command has, and that may be anywhere before `--`. */
import { type ColourChoice, colourOption, takeColour } from "./terminal/colour.ts";

export interface GlobalOptions {
  colour: ColourChoice;
  /** False with `--no-pager`. */
  mayPage: boolean;
}

const noPager = "--no-pager";

/** The options with their summaries, as in the help. */
export const globalOptions = [
  colourOption,
  { flags: noPager, summary: "print results that are longer than the screen without $PAGER" },
] as const;

/** Returns the global options among the arguments, and the other arguments. @throws UsageError for an unknown colour */
export function takeGlobalOptions(args: readonly string[]): { options: GlobalOptions; rest: string[] } {
  const { choice, rest } = takeColour(args);
  const end = rest.includes("--") ? rest.indexOf("--") : rest.length;
  const others = rest.filter((arg, at) => arg !== noPager || at > end);
  return { options: { colour: choice, mayPage: others.length === rest.length }, rest: others };
}
