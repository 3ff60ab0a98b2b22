// Run again: `tek run --watch`, a program run once more whenever its files change.
// Owns: which files those are, going on after a failure. Does not own: a run (commands/run.ts), the waiting (watch-files.ts).
//   A1. Its files are those of its text, and the code in the folders of its own plugins (of a plugin beside the program, the code files beside it).
//   A2. A run is never broken off: a change while it goes on begins the next one after it. So how files are is looked at before the run.
//   A3. Ctrl-C during a run, or SIGTERM, ends it and the watching; between runs it ends the process, as usual.
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import type { Host } from '#host/host.ts'
import { CliFailure, printDiagnostics, type CliContext } from './command.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import type { OpenProgram } from './open-program.ts'
import { fileStates, watchFiles } from './watch-files.ts'

const ENDING = ['SIGTERM', 'SIGHUP'] as const
const CODE = '*.{ts,mts,js,mjs,json}'

/**
 * Runs, and runs again.
 *
 * @param entry the program's file, watched also while it does not compile.
 * @param once runs it; tells of the program when it was opened.
 */
export async function runAgain(context: CliContext, host: Host, entry: string, once: (opened: (program: OpenProgram) => Promise<void>) => Promise<ExitCode>): Promise<ExitCode> {
  let program: OpenProgram | null = null
  const list = async (): Promise<readonly string[]> => [entry, ...(program === null ? [] : [...program.sources.keys(), ...(await pluginFiles(host, program))])]
  for (;;) {
    const known = new Set(await list())
    const before = await fileStates(host, known)
    let isEnding = false
    const end = (): void => { isEnding = true }
    for (const signal of ENDING) process.on(signal, end)
    try {
      const code = await once(async opened => {
        program = opened
        const learnt = (await list()).filter(path => !known.has(path))
        for (const [path, state] of await fileStates(host, learnt)) before.set(path, state)
        for (const path of learnt) known.add(path)
      })
      if (code === exitCodes.interrupted || isEnding) return code // A3
    } catch (error) {
      if (!(error instanceof CliFailure)) throw error
      printDiagnostics(context.err, error.diagnostics, error.sources)
    } finally {
      for (const signal of ENDING) process.off(signal, end)
    }
    context.err.write('watching for changes, Ctrl-C ends\n')
    await watchFiles(host, before, known, list)
  }
}

/** Code of the program's own plugins. // A1 */
async function pluginFiles(host: Host, { plan, folder }: OpenProgram): Promise<readonly string[]> {
  const own = plan.modules.filter(each => each.origin === 'plugin' && /^\.{0,2}\//.test(each.source))
  if (own.length === 0) return []
  const { seeTree, watchedPattern } = await import('#serve/watched-tree.ts')
  const files: string[] = []
  for (const { source } of own) {
    const path = resolve(folder, source)
    const isFolder = (await host.files.stat(path).catch(() => null))?.kind === 'directory'
    const beneath = relative(host.cwd, isFolder ? path : dirname(path)).split(sep).join('/')
    if (beneath.startsWith('..') || isAbsolute(beneath)) continue // outside of the folder we are in
    const pattern = watchedPattern(beneath === '' ? CODE : isFolder || resolve(host.cwd, beneath) !== folder ? `${beneath}/**/${CODE}` : `${beneath}/${CODE}`)
    const seen = typeof pattern === 'string' ? 'unclear' : await seeTree(host, pattern, new AbortController().signal)
    if (typeof seen !== 'string') files.push(...seen.files.keys())
  }
  return files
}
