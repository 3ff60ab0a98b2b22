// Crash: what tek says when tek itself is wrong.
// Owns: the report file and the words. Does not own: deciding that it is a bug (main.ts: whatever is not a coded failure).
//   X1. The stack goes to a file under .tek/ (or to the terminal with TEK_DEBUG=1), never in the user's way.
//   X2. Reporting never fails: when the file cannot be written, the stack is printed.
//   X3. Neither holds a secret of the run that was under way.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { redactCrash } from '#interpreter/secrets/crash-redaction.ts'
import { tekVersion } from './install-place.ts'

const MAX_REPORT_CHARACTERS = 20_000

/** The lines to print; writes the report file unless the stack is to be shown. */
export function crashReport(error: unknown, argv: readonly string[], cwd: string, env: Readonly<Record<string, string | undefined>>): string {
  const stack = redactCrash(error instanceof Error ? (error.stack ?? error.message) : String(error)) // X3
  const first = stack.split('\n')[0]!.slice(0, 500)
  const facts = `tek ${tekVersion()}, Node ${process.versions.node}, ${process.platform} ${process.arch}`
  const head = [`This is a bug in tek: ${first}`, '', 'Please report it with the command you typed, the program if you can share it, and this line:', `  ${facts}`]
  if (env['TEK_DEBUG']) return [...head, '', stack, ''].join('\n') // X1
  const body = `${facts}\ncommand: tek ${redactCrash(argv.join(' '))}\n\n${stack}\n`.slice(0, MAX_REPORT_CHARACTERS)
  try {
    const folder = join(cwd, '.tek')
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `crash-${process.pid}.log`)
    writeFileSync(file, body)
    return [...head, `  details: .tek/${file.slice(folder.length + 1)}`, ''].join('\n')
  } catch {
    return [...head, '', stack, ''].join('\n') // X2
  }
}
