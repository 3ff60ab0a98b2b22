// Completion: what a shell offers when TAB is pressed after `tek`, as a script for that shell.
// Owns: the three scripts. Does not own: which commands and options there are (command-table.ts, each command), what is recorded here (commands/completion.ts).
//   C1. Commands and options are in the script, so that they appear at once; only what changes (runs, programs, codes) is asked of tek, by `tek completion --of`.
//   C2. Words that go into a script are quoted for that shell; what tek prints for `--of` is one candidate a line, then a tab and what it is. A shell takes it as
//       text: bash's `compgen -W` would carry out what is written in it.

export type Shell = 'bash' | 'zsh' | 'fish'
export const shells: readonly Shell[] = ['bash', 'zsh', 'fish']
/** What can be asked of tek while somebody types. */
export type Candidates = 'runs' | 'programs' | 'codes'

export interface CompletedOption {
  /** `-o`, `--out`. */
  readonly names: readonly string[]
  readonly takesValue: boolean
  readonly summary: string
}

export interface CompletedCommand {
  readonly name: string
  readonly summary: string
  readonly options: readonly CompletedOption[]
  /** What its arguments are; `files`: programs in files. */
  readonly takes: Candidates | 'files' | 'nothing'
}

/** What the arguments of a command are, from what its help says that it takes. */
export function takenBy(takes: string): CompletedCommand['takes'] {
  if (takes.startsWith('PROGRAM')) return 'programs'
  if (/^\[?RUN|^FILE \| RUN|\[RUN\]/.test(takes)) return 'runs'
  if (takes.includes('CODE')) return 'codes'
  return /FILE|^A B$/.test(takes) ? 'files' : 'nothing'
}

/**
 * The script that makes a shell complete `tek`.
 *
 * @example
 * completionScript('bash', commands) // eval "$(tek completion bash)"
 */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  switch (shell) {
    case 'bash':
      return bash(commands)
    case 'zsh':
      return zsh(commands)
    case 'fish':
      return fish(commands)
  }
}

function bash(commands: readonly CompletedCommand[]): string {
  const words = (all: readonly string[]): string => quoted(all.join(' '))
  const cases = commands.map(({ name, options, takes }) => {
    const valued = options.filter(each => each.takesValue).flatMap(each => each.names)
    const lines = [
      `    ${name})`,
      ...(valued.length === 0 ? [] : [`      case "$before" in ${valued.join('|')}) return;; esac`]),
      `      if [[ "$word" == -* ]]; then _tek_of_words ${words(options.flatMap(each => each.names))}`,
      takes === 'nothing' ? '      fi;;' : takes === 'files' ? '      else _tek_files; fi;;' : `      else _tek_asked ${takes}${takes === 'programs' ? '; _tek_files' : ''}; fi;;`,
    ]
    return lines.join('\n')
  })
  return `# Completion of tek for bash: eval "$(tek completion bash)" in ~/.bashrc
_tek_of_words() { local IFS=$' \\t\\n'; COMPREPLY+=($(compgen -W "$1" -- "$word")); }
_tek_asked() { local each rest; while IFS=$'\\t' read -r each rest; do [[ "$each" == "$word"* ]] && COMPREPLY+=("$each"); done < <(tek completion --of "$1" 2>/dev/null); }
_tek_files() { local IFS=$'\\n'; compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -X '!*.tek' -- "$word") $(compgen -d -- "$word")); }
_tek() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then _tek_of_words ${words(commands.map(each => each.name))}; return; fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
}
complete -o default -F _tek tek
`
}

function zsh(commands: readonly CompletedCommand[]): string {
  /** In a specification of `_arguments`, brackets and colons have a meaning. */
  const text = (words: string): string => words.replaceAll(/[[\]:\\]/g, '\\$&')
  const option = ({ names, takesValue, summary }: CompletedOption): string[] => {
    const others = names.length > 1 ? `(${names.join(' ')})` : ''
    return names.map(name => quoted(`${others}${name}${takesValue && name.startsWith('--') ? '=' : ''}[${text(summary)}]${takesValue ? ':value:_files' : ''}`))
  }
  const cases = commands.map(({ name, options, takes }) => {
    // Of an action that begins with a space the words are left as they are.
    const argument = takes === 'nothing' ? [] : [quoted(takes === 'files' ? '*:program:_tek_files' : `*:${takes}: _tek_asked ${takes}`)]
    return `    ${name}) _arguments -s -S ${[...options.flatMap(option), ...argument].join(' ')} ;;`
  })
  return `#compdef tek
# Completion of tek for zsh: eval "$(tek completion zsh)" in ~/.zshrc, after compinit; or as a file _tek in a folder of $fpath.
_tek_files() { _files -g '*.tek' }
_tek_asked() {
  local -a found
  found=("\${(@f)$(tek completion --of $1 2>/dev/null)}")
  found=("\${(@)found//:/\\:}")
  found=("\${(@)found/$'\\t'/:}")
  _describe -t $1 $1 found
  [[ $1 == programs ]] && _tek_files
}
_tek() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then _describe -t commands 'tek command' commands; return; fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _tek ]; then _tek "$@"; else compdef _tek tek; fi
`
}

function fish(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, summary, options, takes }) => {
    const here = `complete -c tek -n '__fish_seen_subcommand_from ${name}'`
    const flags = options.map(({ names, takesValue, summary: words }) => {
      const each = names.map(option => (option.startsWith('--') ? `-l ${option.slice(2)}` : `-s ${option.slice(1)}`))
      return `${here} ${each.join(' ')}${takesValue ? ' -rF' : ''} -d ${fishQuoted(words)}`
    })
    const argument = takes === 'nothing' ? [] : [`${here} -xa '${takes === 'files' ? '(__fish_complete_suffix .tek)' : `(tek completion --of ${takes} 2>/dev/null)${takes === 'programs' ? ' (__fish_complete_suffix .tek)' : ''}`}'`]
    return [`complete -c tek -f -n __fish_use_subcommand -a ${name} -d ${fishQuoted(summary)}`, ...flags, ...argument]
  })
  return `# Completion of tek for fish: tek completion fish | source, or as the file ~/.config/fish/completions/tek.fish\ncomplete -c tek -f\n${lines.join('\n')}\n`
}

/** C2: for bash and zsh, between single quotes nothing but they themselves has a meaning. */
function quoted(text: string): string {
  return `'${oneLine(text).replaceAll("'", `'\\''`)}'`
}

/** C2: fish knows \\' and \\\\ between single quotes. */
function fishQuoted(text: string): string {
  return `'${oneLine(text).replaceAll(/['\\]/g, '\\$&')}'`
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
