import { UsageError } from "../core/errors.ts";
import { datasetNamed } from "../datasets/index.ts";
import { loadConfig } from "../settings/config.ts";
import type { Environment } from "../settings/env-file.ts";
import type { HistoryReader } from "../store/history.ts";
import { withHistory } from "../store/read/open-history.ts";
import type { Command, CommandSummary } from "./command.ts";
import { recordedNames } from "./shared/option.ts";
import { completionScripts } from "./terminal/completion-scripts.ts";
import { candidatesFor, type RecordedNames } from "./terminal/completions.ts";
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
    "The script completes commands, options and names (datasets, reports, accounts, coins, symbols, columns) by calling",
    "`completion words`, so it needs no update. Names are read from the settings and the database; nothing is requested.",
    "In zsh the folder must be in fpath before compinit. For this shell only: source <(bitget-collector completion bash).",
  ],
  onPostgres: "own",
  async run({ args: [shell = "", ...words], env, print }) {
    if (shell === "words") {
      for (const word of await candidatesFor(commands, words, namesOf(env))) print(word);
      return 0;
    }
    const script = completionScripts[shell];
    if (script === undefined) throw new UsageError(`unknown shell "${shell}"${knownNames("shells", shell, shells)}`);
    print(script.trim());
    return 0;
  },
});

/** Returns the names of the settings and of the history; only those of the settings where the history cannot be read. */
function namesOf(env: Environment): RecordedNames {
  const read = (names: (history: HistoryReader) => readonly string[]): readonly string[] => {
    try {
      return withHistory(loadConfig(env, { credentials: false }).databasePath, names);
    } catch {
      return [];
    }
  };
  return {
    accounts: () => [
      ...(env.BITGET_ACCOUNTS ?? "main").split(",").map((name) => name.trim()),
      ...read((history) => history.accounts()),
    ],
    coins: () => read((history) => recordedNames(history, "coin")),
    symbols: () => read((history) => recordedNames(history, "symbol")),
    columns: (dataset) => read((history) => history.columns(datasetNamed(dataset))),
  };
}
