/** The scripts that make a shell complete the words of this program: each passes the words before the cursor to the program. */
export const completionScripts: Readonly<Record<string, string>> = {
  bash: `
_bitget_collector() {
  local IFS=$'\\n'
  COMPREPLY=($("$1" completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _bitget_collector bitget-collector
`,
  zsh: `
#compdef bitget-collector
_bitget_collector() {
  local -a found
  found=("\${(@f)$("\${words[1]}" completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
if [[ "$funcstack[1]" == "_bitget-collector" ]]; then _bitget_collector; else compdef _bitget_collector bitget-collector; fi
`,
  fish: `
function __bitget_collector
  set -l words (commandline -opc)
  set -l last (commandline -ct)
  set -e words[1]
  bitget-collector completion words -- $words "$last" 2>/dev/null
end
complete -c bitget-collector -f -n 'count (__bitget_collector) >/dev/null' -a '(__bitget_collector)'
`,
};
