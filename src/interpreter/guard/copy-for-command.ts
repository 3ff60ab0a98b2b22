// Copy for command: a command that is to leave the folder it starts in as it is, and still write there: it gets a copy, gone with it.
// Owns: the script that copies, links what is large and starts the command. Does not own: what may be seen (confinement.ts), the sandbox's /tmp (host/sandbox).
//   Y1. The copy is made inside the sandbox, of what the command may see, in the /tmp that is the sandbox's own: no more is read than the command itself could
//       read, nothing is left, also when tek is killed. Its place is the same each time. Where a command runs unconfined it is a temporary folder, removed at the end.
//   Y2. Packages in the folder's own node_modules are links to the originals, which cannot be written; links among them (workspaces) stay links into the copy.
//       What tools keep there (`.cache`, `.vite`) is not taken along. `.git`, `.tek`, `.tek-work` and the permits file are not either.
//   Y3. A copy that is not whole starts nothing.
import { basename } from 'node:path'
import { HostError, type CommandResult } from '#host/host.ts'

const FAILED = 125
const MARK = 'tek: the copy of the folder: '

const script = String.raw`
from=$1; name=$2; shift 2
case $HOME in /tmp/home) top=/tmp/tek-copy; mkdir -p $top;; *) top=$(mktemp -d); trap 'rm -rf "$top"' EXIT;; esac
to=$top/$name
stop() { echo "${MARK}$1" >&2; exit ${FAILED}; }
put() { ln -s "$from/$1"/* "$to/$1/" 2>/dev/null; for each in "$from/$1"/*; do if [ -L "$each" ]; then rm -f "$to/$1/$(basename "$each")"; cp -a -- "$each" "$to/$1/" || stop "$each"; fi; done; }
scope() { for each in "$from/$1"/*; do if [ -L "$each" ]; then rm -f "$to/$1"; mkdir "$to/$1" && put "$1"; return; fi; done; }
mkdir "$to" && cd "$from" || stop "cannot be made"
for entry in * .[!.]* ..?*; do
  [ -e "$entry" ] || [ -L "$entry" ] || continue
  case $entry in
    .git|.tek|.tek-work|tek.permits.yaml) ;;
    node_modules)
      if [ -L node_modules ]; then cp -a -- node_modules "$to/" || stop "node_modules"
      else
        mkdir "$to/node_modules"; put node_modules
        for entry in node_modules/.[!.]*; do
          case $entry in */.cache|*/.vite|*/.vite-temp|*/.vitest|*/.package-lock.json) ;; *) [ -e "$entry" ] && ln -s "$from/$entry" "$to/$entry";; esac
        done
        for group in node_modules/@*; do if [ -d "$group" ]; then scope "$group"; fi; done
      fi;;
    *) cp -a -- "$entry" "$to/" || stop "$entry could not be copied whole";;
  esac
done
cd "$to" || stop "is not there"
command -v -- "$1" >/dev/null 2>&1 || stop "no program"
case $HOME in /tmp/home) exec "$@";; *) "$@"; exit;; esac
`.replaceAll('${MARK}', MARK).replaceAll('${FAILED}', String(FAILED))

/** The command that starts another in a copy of a folder. // Y1 */
export function inCopy(folder: string, program: string, args: readonly string[]): { readonly program: string; readonly args: readonly string[] } {
  return { program: '/bin/sh', args: ['-c', script, 'sh', folder, basename(folder) || 'root', program, ...args] }
}

/** @throws {HostError} when the copy could not be made, or there is no such program. // Y3 */
export function checkCopied(program: string, result: CommandResult): void {
  const why = result.exitCode === FAILED ? result.stderr.split('\n').findLast(line => line.startsWith(MARK))?.slice(MARK.length) : undefined
  if (why === undefined) return
  if (why === 'no program') throw new HostError('no-program', program, `There is no program \`${program}\` on this machine's PATH, nor in the folder.`)
  throw new HostError('too-large', program, `The folder could not be copied for \`${program}\`: ${why.slice(0, 300)}. A copy may take a quarter of the memory that commands may use: \`limits { memory: … }\` gives more.`)
}
