// Stack frame: where in someone's own source an error was thrown.
// Owns: reading a stack as V8 prints it. Does not own: source maps (switched on before the code is loaded), what is done with the place.

const MAX_LINES = 100
const MAX_LINE_LENGTH = 1_000

/**
 * The first place of a stack that is neither Node's, nor a package's, nor of the code that calls plugins: `plugins/jira.ts:12:5`; null when there is none.
 *
 * @param cwd absolute; files below it are shown relative to it. Empty: all are shown whole.
 */
export function ownFrame(error: unknown, cwd: string): string | null {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return null
  for (const line of error.stack.split('\n').slice(0, MAX_LINES)) {
    if (line.length > MAX_LINE_LENGTH) continue
    const found = /^\s+at .*?(?:\()?((?:file:\/\/)?\/[^()]+?):(\d+):(\d+)\)?$/.exec(line)
    if (found === null) continue
    const file = found[1]!.startsWith('file:') ? decodeURIComponent(new URL(found[1]!).pathname) : found[1]!
    if (/\/node_modules\/|\/plugin-api\/|\/plugin-child\.mjs$/.test(file)) continue
    const shown = cwd !== '' && file.startsWith(`${cwd}/`) ? file.slice(cwd.length + 1) : file
    return `${shown}:${found[2]}:${found[3]}`
  }
  return null
}
