// shell: running programs, without a shell.
// Owns: the tools, what comes back. Does not own: test commands (std tests), whether a program may run (grant `exec`), how it is confined (host).
//   S1. Program and arguments are given as they are: no quoting, no expansion, no pipes. They must be trusted.
//   S2. Output is untrusted; exit code and time are not.
import { definePlugin, reads, t, ToolFailure, writes, z, type RunResult, type ToolContext } from 'tek-lang/plugin'

const MAX_TIMEOUT_MS = 6 * 3_600_000

const program = z.string().describe('The program: a name on the PATH or a path.')
const args = z.array(z.string()).default([]).describe('Its arguments, each as it is.')

const resultType = z.object({
  ok: z.boolean().describe('It ended by itself with exit code 0.'),
  exitCode: t.int.nullable().describe('Null when a signal ended it.'),
  signal: t.untrusted(z.string()).nullable(),
  stdout: t.untrusted(z.string()), stderr: t.untrusted(z.string()),
  truncated: z.boolean().describe('Output beyond the limit was dropped.'),
  timedOut: z.boolean(), elapsed: t.duration,
})

const shown = (result: RunResult) => ({
  ok: result.exitCode === 0 && !result.timedOut, exitCode: result.exitCode, signal: result.signal, stdout: result.stdout, stderr: result.stderr,
  truncated: result.truncated, timedOut: result.timedOut, elapsed: Math.max(0, Math.round(result.elapsedMs)),
})

function checked(program: string, args: readonly string[]): void {
  if (program === '' || program.startsWith('-')) throw new ToolFailure('bad-program', 'The name of a program may not be empty or begin with `-`.')
  for (const text of [program, ...args]) if (text.includes('\0')) throw new ToolFailure('bad-argument', 'A program or an argument may not hold the character NUL.')
}

interface Start {
  dir?: string
  stdin?: string
  env?: Record<string, string>
  /** Milliseconds. */
  timeout?: number
  /** Bytes. */
  maxOutput?: number
  observe?: boolean
}

async function start(context: ToolContext, program: string, args: readonly string[], options: Start = {}): Promise<RunResult> {
  checked(program, args)
  const timeoutMs = options.timeout ?? 600_000
  if (!(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) throw new ToolFailure('bad-timeout', 'timeout must be above 0 and at most 6h.')
  for (const name of Object.keys(options.env ?? {})) {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,255}$/.test(name)) throw new ToolFailure('bad-name', `\`${name.slice(0, 100)}\` cannot be the name of a variable.`)
  }
  return context.run(program, args, {
    timeoutMs,
    ...(options.dir === undefined || options.dir === '.' ? {} : { cwd: options.dir }),
    ...(options.stdin === undefined || options.stdin === '' ? {} : { stdin: options.stdin }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.maxOutput === undefined ? {} : { maxOutputBytes: options.maxOutput }),
    ...(options.observe === undefined ? {} : { observe: options.observe }),
  })
}

export default definePlugin({
  name: 'shell',
  version: '1.0.0',
  doc: 'Running programs, without a shell: arguments are given as they are. Each needs `exec(program, arguments…)`; output is untrusted.',
  tools: {
    run: writes({
      doc: 'Runs a program to its end, for at most 10 minutes and 1 MB of each output. An exit code other than 0 is a result, not a failure.',
      input: { program, args }, rest: 'args', output: resultType,
      needs: { exec: ['$program', '$args'] }, sinks: ['program', 'args'],
      run: async ({ program, args }, context) => shown(await start(context, program, args)),
    }),
    must: writes({
      doc: 'Runs a program and gives what it printed; fails with its last lines unless it ends with exit code 0.',
      input: { program, args }, rest: 'args', output: t.untrusted(z.string()),
      needs: { exec: ['$program', '$args'] }, sinks: ['program', 'args'],
      run: async ({ program, args }, context) => {
        const result = await start(context, program, args)
        if (result.exitCode === 0 && !result.timedOut) return result.stdout
        const why = result.timedOut ? 'took longer than 10m' : result.exitCode === null ? `was ended by ${result.signal ?? 'a signal'}` : `ended with exit code ${result.exitCode}`
        const last = (result.stderr.trim() === '' ? result.stdout : result.stderr).trimEnd().split('\n').slice(-5).join('\n').slice(-1_000)
        throw new ToolFailure('failed', `\`${program}\` ${why}${last === '' ? '.' : `:\n${last}`}`, { retryable: result.timedOut })
      },
    }),
    runWith: writes({
      doc: 'Runs a program with a folder, input, variables and limits of its own.',
      input: {
        program, args,
        dir: t.path.default('.').describe('The folder it starts in.'),
        stdin: z.string().default('').describe('Given to its standard input.'),
        env: t.secret(t.map(z.string())).default({}).describe('Variables besides PATH, LANG, TERM and HOME. Names that make programs load code need a grant `env(NAME)`.'),
        timeout: t.duration.default(600_000).describe('Ended after this long; at most 6h.'),
        maxOutput: t.size.default(1_000_000).describe('Bytes kept of each output.'),
      },
      output: resultType,
      needs: { exec: ['$program', '$args'] }, sinks: ['program', 'args', 'dir', 'env'],
      run: async ({ program, args, ...options }, context) => shown(await start(context, program, args, options)),
    }),
    observe: writes({
      doc: 'Runs a program as confined as this machine can and tells what it, and everything it started, tried: files, addresses, names, programs. It is a record of what was asked for; the sandbox is what stops it.',
      input: { program, args, timeout: t.duration.default(60_000).describe('Ended after this long; at most 6h.') },
      output: z.object({
        exitCode: t.int.nullable(), signal: t.untrusted(z.string()).nullable(), timedOut: z.boolean(), elapsed: t.duration,
        level: t.int.describe('3 bubblewrap, 2 namespaces with Landlock and seccomp, 0 not confined (accepted by name).'),
        endedFor: z.enum(['memory', 'processes', 'cpu']).nullable().describe('The bound for which it was ended.'),
        tried: z.array(z.object({
          action: z.enum(['read', 'write', 'connect', 'look-up', 'start']), target: t.untrusted(z.string()), allowed: z.boolean(), times: t.int,
          private: z.boolean().describe("In the sandbox's own /tmp or home, which are gone afterwards."),
        })).nullable().describe('Null where it could not be observed.'),
        stdout: t.untrusted(z.string()), stderr: t.untrusted(z.string()),
      }),
      needs: { exec: ['$program', '$args'] }, sinks: ['program', 'args'],
      run: async ({ program, args, timeout }, context) => {
        const result = await start(context, program, args, { timeout, observe: true })
        return {
          exitCode: result.exitCode, signal: result.signal, timedOut: result.timedOut, elapsed: Math.max(0, Math.round(result.elapsedMs)), level: result.level ?? 0,
          endedFor: result.endedFor ?? null,
          tried: result.tried?.map(({ action, target, allowed, times, isPrivate }) => ({ action, target, allowed, times, private: isPrivate === true })) ?? null,
          stdout: result.stdout, stderr: result.stderr,
        }
      },
    }),
    find: reads({
      doc: 'Whether a program can be run: its version as it says itself with `--version`, or null when there is no such program.',
      input: { program }, output: t.untrusted(z.string()).nullable(),
      needs: { exec: ['$program', '--version'] }, sinks: ['program'],
      run: async ({ program }, context) => {
        checked(program, [])
        try {
          const result = await context.run(program, ['--version'], { timeoutMs: 10_000 })
          return result.exitCode === 0 ? (result.stdout.trim() || result.stderr.trim()).split('\n')[0] ?? '' : null
        } catch (problem) {
          if (problem instanceof Error && 'code' in problem && problem.code === 'no-program') return null
          throw problem
        }
      },
    }),
  },
})
