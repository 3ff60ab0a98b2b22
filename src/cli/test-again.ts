// Test again: `tek test --watch`, tests run once more whenever a file that they are made of changes.
// Owns: which files those are, going on after a failure. Does not own: a round (commands/test.ts), the waiting (watch-files.ts).
//   A1. They are the files that were named, those that these use, and cassettes. What tests read while they run is not watched.
//   A2. A round is never broken off: a change while it goes on begins the next one after it. So how files are is looked at before, or as soon as one is known.
//   A3. Ctrl-C during a round, or SIGTERM, ends it and the watching; between rounds it ends the process, as usual.
import type { Host } from '#host/host.ts'
import { CliFailure, printDiagnostics, type CliContext } from './command.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { fileStates, watchFiles } from './watch-files.ts'

/**
 * Tests, and tests again.
 *
 * @param named the files that were named, as they are now.
 * @param once a round; tells of the files that it is made of.
 */
export async function testAgain(context: CliContext, host: Host, named: () => Promise<readonly string[]>, once: (made: (of: Iterable<string>) => Promise<void>) => Promise<ExitCode>): Promise<ExitCode> {
  let learnt: readonly string[] = []
  const list = async (): Promise<readonly string[]> => [...(await named()), ...learnt]
  for (;;) {
    const known = new Set(await list())
    const before = await fileStates(host, known) // A2
    const seen = new Set<string>()
    try {
      const code = await once(async of => {
        const fresh = [...of].filter(path => !seen.has(path))
        for (const [path, state] of await fileStates(host, fresh.filter(path => !known.has(path)))) before.set(path, state)
        for (const path of fresh) seen.add(path)
      })
      if (code === exitCodes.interrupted || code === exitCodes.stopped) return code // A3
    } catch (error) {
      if (!(error instanceof CliFailure)) throw error
      printDiagnostics(context.err, error.diagnostics, error.sources)
    }
    learnt = [...new Set([...learnt, ...seen])] // a round that did not get that far is made of the same
    for (const path of seen) known.add(path)
    context.err.write('watching for changes, Ctrl-C ends\n')
    await watchFiles(host, before, known, list)
  }
}
