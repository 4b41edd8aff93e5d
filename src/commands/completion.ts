import { UsageError } from "../core/errors.ts";
import { loadConfig } from "../settings/config.ts";
import type { Environment } from "../settings/env-file.ts";
import { withHistory } from "../store/read/open-history.ts";
import type { Command, CommandSummary } from "./command.ts";
import { completionScripts } from "./terminal/completion-scripts.ts";
import { candidatesFor } from "./terminal/completions.ts";
import { knownNames } from "./terminal/suggest.ts";

const shells = Object.keys(completionScripts);

/** Returns the command that completes the words of these commands. */
export const completionOf = (commands: readonly CommandSummary[]): Command => ({
  examples: [
    "completion bash > ~/.local/share/bash-completion/completions/bitget-collector",
    'completion zsh > "$HOME/.zsh/completions/_bitget-collector"',
    "completion fish > ~/.config/fish/completions/bitget-collector.fish",
  ],
  details: [
    "The script completes commands, options, datasets, accounts and reports by calling `completion words`, so it needs no update.",
    "In zsh the folder must be in fpath before compinit. For this shell only: source <(bitget-collector completion bash).",
  ],
  onPostgres: "own",
  async run({ args: [shell = "", ...words], env, print }) {
    if (shell === "words") {
      for (const word of await candidatesFor(commands, words, () => accountNames(env))) print(word);
      return 0;
    }
    const script = completionScripts[shell];
    if (script === undefined) throw new UsageError(`unknown shell "${shell}"${knownNames("shells", shell, shells)}`);
    print(script.trim());
    return 0;
  },
});

/** Returns the accounts of the settings and of the history; only those of the settings where the history cannot be read. */
function accountNames(env: Environment): string[] {
  const named = (env.BITGET_ACCOUNTS ?? "main").split(",").map((name) => name.trim());
  try {
    const { databasePath } = loadConfig(env, { credentials: false });
    return [...new Set([...named, ...withHistory(databasePath, (history) => history.accounts())])];
  } catch {
    return named;
  }
}
