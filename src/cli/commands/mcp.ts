// Mcp: `tek mcp lock`, `tek mcp list` and `tek mcp FILE`: servers of tools that programs use, and being one.
// Owns: the three forms, what is shown of a server and its changes, asking for a yes. Does not own: connecting (mcp/), serving (mcp/serve-*).
//   M1. What is locked was shown: nothing is written that the person has not seen, and agreed to in a terminal or by `--yes`.
//   M2. An address is not reached, and no variable is given to anything, before somebody agreed to that definition: `.mcp.json` may have come with a folder, and
//       so may its lock, which counts as that only where nobody can be asked.
import { Option } from 'clipanion'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { didYouMean } from '#base/did-you-mean.ts'
import { neutraliseLine } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { mcpErrors } from '#diagnostics/catalog/mcp.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import type { ServerDefinition } from '#mcp/definition.ts'
import type { LockChange } from '#mcp/lock-changes.ts'
import type { Lock, LockedServer } from '#mcp/lock-file.ts'
import type { BeginRun } from '#mcp/served-calls.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import type { Wait } from '#model/report.ts'
import { answered, CliFailure } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { clientUrl, serverUrl, tekVersion } from '../install-place.ts'
import { Interrupt } from '../interrupt.ts'
import { openProgram, type OpenProgram, sourceHashes } from '../open-program.ts'
import { isTerminal, permitName, PermittedCommand } from '../permission.ts'
import { LineReader } from '../read-line.ts'
import { databasePath } from '../recorded-runs.ts'

const MAX_DOC_LENGTH = 100

interface Looked {
  readonly name: string
  readonly server: LockedServer
  readonly isKnown: boolean
  readonly changes: readonly LockChange[]
}

export class McpCommand extends PermittedCommand {
  static override paths = [['mcp']]
  static override usage = {
    description: 'servers of tools that programs use, and a program as a server of tools',
    details: [
      '`lock [SERVER…]` connects to the servers that .mcp.json declares, shows their tools and what changed, asks, and writes tek.mcp.lock.json, by which programs are',
      'checked. With --check it writes nothing and exits with 1 when something changed. `list` shows what is locked.',
      'FILE serves the workflows of a program as tools, over standard input and output, or with --http over a port of this machine. What they may do is what',
      'tek.permits.yaml and --allow say: nobody is asked.',
    ].join('\n'),
    examples: [
      ['agree to the tools of all servers', 'tek mcp lock'], ['in CI: is everything as agreed?', 'tek mcp lock --check'], ['what is agreed', 'tek mcp list'],
      ['a program as a server of tools', 'tek mcp flow.tek'], ['the same for other processes of this machine', 'tek mcp flow.tek --http 8123'],
    ] as [string, string][],
  }
  words = Option.Rest({ name: 'lock [SERVER…] | list | FILE', required: 1 })
  check = Option.Boolean('--check', false, { description: 'lock: write nothing; exit with 1 when something changed' })
  yes = Option.Boolean('--yes', false, { description: 'lock: agree to what is shown' })
  http = Option.String('--http', { description: 'FILE: serve over HTTP on this port of this machine (0: any)' })
  json = Option.Boolean('--json', false, { description: 'lock, list: print as JSON' })

  override async execute(): Promise<ExitCode> {
    const [word = '', ...more] = this.words
    if (word === 'lock') return this.lock(more)
    if (more.length > 0) throw new CliFailure([cliErrors['too-many-arguments']({ command: `mcp ${word}`, extra: more[0]! })], exitCodes.usage)
    return word === 'list' ? this.list() : this.serve(word)
  }

  private async lock(names: readonly string[]): Promise<ExitCode> {
    const host = await this.context.host()
    const [{ LOCK_FILE, writeLock }, { definitionsIn, lockIn }] = await Promise.all([import('#mcp/lock-file.ts'), import('#mcp/found-servers.ts')])
    const definitions = readable(await definitionsIn(host, host.cwd))
    const unknown = names.find(each => !definitions.has(each))
    if (unknown !== undefined || definitions.size === 0) throw new CliFailure([mcpErrors['unknown-server']({ server: unknown ?? '', known: [...definitions.keys()] })], exitCodes.usage)
    const before = await lockIn(host, host.cwd)
    const known: Lock = 'code' in before ? new Map() : before // one that cannot be read is written anew
    const looked: Looked[] = []
    await this.expectAgreed([...definitions].filter(([name]) => names.length === 0 || names.includes(name)), known)
    for (const [name, definition] of definitions) if (names.length === 0 || names.includes(name)) looked.push(await this.look(host, name, definition, known))
    const gone = names.length > 0 ? [] : [...known.keys()].filter(name => !definitions.has(name))
    const isChanged = 'code' in before || gone.length > 0 || looked.some(each => !each.isKnown || each.changes.length > 0)
    if (this.json) this.printJson({ version: 1, changed: isChanged, servers: looked.map(({ name, server, isKnown, changes }) => ({ name, isKnown, changes, ...server })), gone })
    else for (const text of [...looked.map(each => this.lookedText(each)), ...gone.map(name => `- ${name}: .mcp.json no longer declares it\n`)]) this.context.out.write(text)
    if (!isChanged) {
      if (!this.json) this.context.err.write(`Nothing changed: ${LOCK_FILE} is as the ${looked.length === 1 ? 'server says' : 'servers say'}.\n`)
      return exitCodes.fine
    }
    const changed = [...looked.filter(each => !each.isKnown || each.changes.length > 0).map(each => each.name), ...gone]
    const isAgreed = !this.check && (this.yes || (await this.saysYes(`Agree to ${changed.map(each => `\`${each}\``).join(', ')} as shown?`)))
    if (!isAgreed) throw this.notAgreed(changed) // M1
    const made = new Map([...known].filter(([name]) => !gone.includes(name)))
    for (const { name, server } of looked) made.set(name, server)
    await host.files.writeAtomic(join(host.cwd, LOCK_FILE), writeLock(made))
    this.context.err.write(`${LOCK_FILE} is written.\n`)
    return exitCodes.fine
  }

  /** M2. */
  private async expectAgreed(definitions: readonly (readonly [string, ServerDefinition])[], known: Lock): Promise<void> {
    const { definitionHash, shownDefinition, variablesOf } = await import('#mcp/definition.ts')
    for (const [name, definition] of definitions) {
      const variables = variablesOf(definition)
      if (definition.kind === 'stdio' && variables.length === 0 && !this.unconfined) continue
      const values = variables.length === 0 ? '' : ` and give it the values of ${variables.join(', ')}`
      this.context.err.write(`${this.context.err.paint('bold', name)}: tek would ${definition.kind === 'http' ? 'reach' : 'start'} ${neutraliseLine(shownDefinition(definition))}${values}.\n`)
      const isKnown = known.get(name)?.definition === definitionHash(definition)
      if (this.yes || (isKnown && !isTerminal(this.context))) continue
      if ((this.check && !isKnown) || !(await this.saysYes('Do that, to see its tools?'))) throw this.notAgreed([name])
    }
  }

  private async look(host: Host, name: string, definition: ServerDefinition, known: Lock): Promise<Looked> {
    const [{ lockServer }, { lockChanges }, { serverAccess }] = await Promise.all([import('#mcp/lock-server.ts'), import('#mcp/lock-changes.ts'), import('#interpreter/guard/server-access.ts')])
    const { reads } = definition.tek
    const access = serverAccess({
      host, cwd: host.cwd, authority: [[{ name: 'fs.read', args: ['**'] }]], implied: [], signal: new AbortController().signal, idempotencyKey: '', taskPath: '', mayBeUnconfined: this.unconfined,
      onCount: () => {}, onLog: () => {}, onProgress: () => {},
    }, null, { name, definition: '', shows: '', variables: [], reads })
    const say = (line: string): void => void this.context.err.write(this.context.err.paint('dim', `  ${name}: ${neutraliseLine(line)}\n`))
    const server = readable(await lockServer({ host, name, definition, folder: host.cwd, access, clientUrl: clientUrl(), tekVersion: tekVersion(), signal: new AbortController().signal, onLine: say }))
    const old = known.get(name) ?? null
    return { name, server, isKnown: old !== null, changes: lockChanges(old, server) }
  }

  private notAgreed(servers: readonly string[]): CliFailure {
    return new CliFailure([mcpErrors['not-agreed']({ servers })], this.check ? exitCodes.failed : exitCodes.notPermitted)
  }

  private async saysYes(question: string): Promise<boolean> {
    if (this.json || !isTerminal(this.context)) return false
    const { err, stdin } = this.context
    const answer = await new LineReader(stdin).ask(() => err.write(`${question} [y/N] `))
    return answer !== null && /^y(es)?$/i.test(answer.trim())
  }

  private lookedText({ name, server, isKnown, changes }: Looked): string {
    const { paint } = this.context.out
    const lines = [`${paint('bold', name)}  ${neutraliseLine(server.shows)}`, ...this.aboutLines(server)]
    if (isKnown && changes.length > 0) lines.push(`  ${paint('yellow', 'changed:')}`, ...changes.map(each => paint(each.kind === 'removed' ? 'red' : each.kind === 'added' ? 'green' : 'yellow', `    ${changeText(each)}`)))
    return `${lines.join('\n')}\n`
  }

  private aboutLines(server: LockedServer): string[] {
    const { paint } = this.context.out
    const facts = [server.release, `protocol ${server.protocol}`, ...(server.variables.length === 0 ? [] : [`needs ${server.variables.join(', ')}`]), ...(server.reads.length === 0 ? [] : [`its program reads ${server.reads.join(', ')}`])]
    return [paint('dim', `  ${neutraliseLine(facts.join(' · '))}`), ...server.tools.map(tool => {
      const kind = tool.result === 'content' ? ' → pieces' : ''
      const doc = neutraliseLine(tool.doc)
      const own = tool.name === tool.as ? '' : paint('dim', ` (${tool.name})`)
      return `  ${paint(tool.effect === 'write' ? 'yellow' : 'green', tool.effect.padEnd(5))} ${tool.as}${kind}${own}  ${paint('dim', doc.length > MAX_DOC_LENGTH ? `${doc.slice(0, MAX_DOC_LENGTH)}…` : doc)}`
    })]
  }

  private async list(): Promise<ExitCode> {
    const host = await this.context.host()
    const [{ lockIn }, { schemaNotes, serverSignature }, { printType }] = await Promise.all([import('#mcp/found-servers.ts'), import('#mcp/signature.ts'), import('#types/print.ts')])
    const lock = readable(await lockIn(host, host.cwd))
    if (this.json) this.printJson({ version: 1, servers: Object.fromEntries(lock) })
    else if (lock.size === 0) this.context.err.write('No server is locked here: `tek mcp lock` writes down what .mcp.json declares.\n')
    else for (const [name, server] of lock) {
      const { out } = this.context
      const { functions } = serverSignature(name, server)
      out.write(`${out.paint('bold', name)}  ${neutraliseLine(server.shows)}\n${out.paint('dim', `  ${neutraliseLine(`${server.release} · protocol ${server.protocol}`)}`)}\n`)
      for (const tool of server.tools) {
        const { params, result } = functions[tool.as]!
        const shown = params.map(each => `${each.name}${each.optional ? '?' : ''}: ${printType(each.type)}`).join(', ')
        out.write(`  ${out.paint(tool.effect === 'write' ? 'yellow' : 'green', tool.effect.padEnd(5))} ${neutraliseLine(`${tool.as}(${shown}) → ${printType(result)}`)}\n`)
        for (const note of schemaNotes(tool)) out.write(out.paint('dim', `        as json: ${neutraliseLine(note)}\n`))
      }
    }
    return exitCodes.fine
  }

  private async serve(name: string): Promise<ExitCode> {
    const host = await this.context.host()
    if (!/[./]/.test(name) && (await host.files.stat(name).catch(() => null)) === null) {
      const help = didYouMean(name, ['lock', 'list']).map(each => `Did you mean \`tek mcp ${each}\`?`)
      throw new CliFailure([cliErrors['bad-value']({ option: 'mcp', value: name, allowed: '`lock`, `list` or a program' }, { help })], exitCodes.usage)
    }
    const port = this.http === undefined ? null : portOf(this.http)
    const program = await openProgram(this.context, host, name, { mayBeUnconfined: this.unconfined })
    const [{ ServedCalls }, { withJournal }] = await Promise.all([import('#mcp/served-calls.ts'), import('#history/journal-access.ts')])
    const code = (await import(serverUrl())) as typeof import('#mcp/protocol-server.ts')
    if (program.plan.entries.length === 0) throw new CliFailure([mcpErrors['nothing-to-serve']({ program: program.shown })], exitCodes.usage)
    const interrupt = new Interrupt(this.context.err)
    try {
      answered(await withJournal(databasePath(host.cwd), async journal => {
        const calls = new ServedCalls(program.plan, await this.beginning(host, program, journal))
        const options = { calls, name: program.shown, tekVersion: tekVersion() }
        if (port === null) await code.serveStreams(options, this.context.stdin as Readable, this.context.stdout as Writable, interrupt.signal)
        else await code.serveHttp(options, port, interrupt.signal, url => void this.context.err.write(`Serving the workflows of ${program.shown} at ${url}\n`)).catch(cannotListen)
        return { kind: 'answer', value: null }
      }))
      return exitCodes.fine
    } finally {
      interrupt.close()
    }
  }

  /** How a run begins: with what is permitted already. */
  private async beginning(host: Host, program: OpenProgram, journal: Journal): Promise<BeginRun> {
    const [{ asked, run }, { settlePermit }] = await Promise.all([import('#tek.ts'), import('#permits/settle.ts')])
    const { plan, shown, folder, isBundled } = program
    const [flags, sources] = [await this.permitFlags(host), sourceHashes(program)]
    return async (workflow, args, { signal, onNotice }) => {
      const asks = await asked(host, { plan, folder, workflow, args })
      const settled = await settlePermit(host, { ...asks, asked: asks.grants, section: 'programs', plan, shown, isBundled, isResumed: false, ...flags, program: permitName(shown), accepted: null }, null)
      if (settled.kind === 'refused') return settled.diagnostics
      const answer = await run(host, {
        plan, program: shown, folder, workflow, args, sources, database: journal, permit: settled.permit, mayBeUnconfined: this.unconfined, signal, onNotice,
        waitsLive: isShort, tekVersion: tekVersion(),
      })
      return answer.kind === 'refused' ? answer.diagnostics : answer.value
    }
  }
}

/** A wait for a time that a caller waits for as well. */
const MAX_LIVE_WAIT_MS = 10 * 60_000

const isShort = (waits: readonly Wait[]): boolean => waits.every(each => each.kind === 'time' && each.dueMs - each.sinceMs <= MAX_LIVE_WAIT_MS)

const MAX_PORT = 65_535

function portOf(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= MAX_PORT) return port
  throw new CliFailure([cliErrors['bad-value']({ option: '--http', value: text, allowed: `a whole number from 0 to ${MAX_PORT}` })], exitCodes.usage)
}

function cannotListen(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  throw new CliFailure([cliErrors['bad-value']({ option: '--http', value: message, allowed: 'a port that is free' })], exitCodes.usage)
}

function readable<Found extends object>(found: Found | Diagnostic): Found {
  if ('code' in found && 'severity' in found) throw new CliFailure([found as Diagnostic], exitCodes.failed)
  return found as Found
}

function changeText({ kind, what, part, before, after }: LockChange): string {
  if (kind !== 'changed') return `${kind === 'added' ? '+' : '-'} ${what}`
  return neutraliseLine(`~ ${what}  ${part}: ${before} → ${after}`)
}
