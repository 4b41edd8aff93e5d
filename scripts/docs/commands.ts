/** Generates the reference of the command line, from the declarations of the commands. */
import { type Command, type CommandSummary, postgresLines } from "../../src/commands/command.ts";
import { loadCommands } from "../../src/commands/index.ts";
import { sentence, table } from "./markdown.ts";

const anchor = (name: string): string => `#${name.replaceAll(" ", "-")}`;

/** Returns a table of all commands, then one section for each. */
export async function commands(): Promise<string> {
  const all = await loadCommands();
  const overview = table(
    ["command", "what it does"],
    all.map(({ name, summary }) => [`[\`${name}\`](${anchor(name)})`, summary]),
  );
  return [overview, ...all.map(details)].join("\n\n");
}

function details(command: CommandSummary & Command): string {
  const { name, args, summary, options, examples } = command;
  const details = [...(command.details ?? []), ...postgresLines(command)];
  const usage = ["bitget-collector", name, ...(args ? [args] : []), ...(options ? ["[options]"] : [])].join(" ");
  const optionTable = table(
    ["option", "meaning"],
    (options ?? []).map(({ flags, summary, repeat }) => [
      `\`${flags}\``,
      repeat ? `${summary} (may be given several times)` : summary,
    ]),
  );
  return [
    `### ${name}`,
    sentence(summary),
    ["```", usage, "```"].join("\n"),
    ...(options ? [optionTable] : []),
    ...(details.length > 0 ? [["```text", ...details, "```"].join("\n")] : []),
    ["Examples:", "", "```sh", ...examples.map((example) => `bitget-collector ${example}`), "```"].join("\n"),
  ].join("\n\n");
}
