// Connection: one server as it runs at the moment: started or reached, its version agreed, its tools looked at.
// Owns: opening (with an older server's way of ending at a word it does not know), its hash against the lock, its end. Does not own: whose calls it serves (call-servers.ts).
//   C1. A server that ends at the first word of the newer protocol is started once more and spoken to in the older one. That is found out when it is
//       locked, and kept there: a run starts it once.
//   C2. Its tools are compared with the lock before the first call, and again when it says that they changed: all of them, also those that no program calls.
import type { LockedServer } from './lock-file.ts'
import { type LockChange, lockChanges } from './lock-changes.ts'
import { lockedTools, ToolsProblem } from './locked-tools.ts'
import type { ServerDefinition } from './definition.ts'
import type { PipeLink } from './pipe-link.ts'
import type { CallOptions, Link, openSession, Session, SessionOptions } from './session.ts'

/** Milliseconds for a server to start and agree on a version, and for its list of tools. */
export const CONNECT_MS = 60_000

/** The built file that speaks the protocol. */
export interface ClientCode {
  readonly openSession: typeof openSession
}

export interface OpenOptions extends Pick<SessionOptions, 'tekVersion' | 'protocol' | 'signal'> {
  readonly definition: ServerDefinition
  readonly code: ClientCode
  /** Starts the program, or says how the address is reached. */
  launch(): Promise<PipeLink | Extract<Link, { kind: 'http' }>>
}

/** Why a server cannot be used, in words that follow its name. */
export class OpenProblem extends Error {
  override readonly name = 'OpenProblem'
}

export class Connection {
  readonly session: Session
  /** Resolves with the reason when its program has ended; never for an address. */
  readonly ended: Promise<string>
  private readonly pipe: PipeLink | null
  private isStale = true
  private problem: string | null = null

  private constructor(session: Session, pipe: PipeLink | null) {
    this.session = session
    this.pipe = pipe
    this.ended = pipe === null ? new Promise(() => {}) : pipe.ended
  }

  /** @throws {OpenProblem} */
  static async open(options: OpenOptions): Promise<Connection> {
    const first = await Connection.attempt(options)
    if (first instanceof Connection) return first
    if (options.protocol !== null || first.pipe === null || !first.hasEnded) throw new OpenProblem(first.reason)
    const second = await Connection.attempt({ ...options, protocol: '' }) // C1
    if (second instanceof Connection) return second
    throw new OpenProblem(second.reason)
  }

  private static async attempt(options: OpenOptions): Promise<Connection | { readonly reason: string; readonly pipe: PipeLink | null; readonly hasEnded: boolean }> {
    const launched = await options.launch()
    const pipe = 'kind' in launched ? null : launched
    let made: Connection | null = null
    try {
      const session = await options.code.openSession(pipe === null ? (launched as Extract<Link, { kind: 'http' }>) : { kind: 'pipe', pipe }, {
        tekVersion: options.tekVersion, protocol: options.protocol, connectMs: CONNECT_MS, signal: options.signal, onToolsChanged: () => void (made !== null && (made.isStale = true)),
      })
      return (made = new Connection(session, pipe))
    } catch (error) {
      const hasEnded = pipe !== null && (pipe.killedFor !== null || (await Promise.race([pipe.ended.then(() => true), soon()])))
      pipe?.kill('it could not be used')
      const ended = pipe === null ? '' : await pipe.ended
      const words = lastLine(pipe?.words ?? '')
      const reason = hasEnded ? `${ended}${words}` : `${error instanceof Error ? error.message : 'it does not say why'}${words}`
      return { reason, pipe, hasEnded }
    }
  }

  /** Its tools as they would be locked. @throws {OpenProblem} */
  async tools(definition: ServerDefinition, signal: AbortSignal): Promise<LockedServer['tools']> {
    const listed = await this.session.tools(signal)
    try {
      return lockedTools(listed, definition)
    } catch (error) {
      if (error instanceof ToolsProblem) throw new OpenProblem(error.message)
      throw error
    }
  }

  /** What of its tools is not as it was agreed; null: nothing. // C2 */
  async differs(definition: ServerDefinition, locked: LockedServer, signal: AbortSignal): Promise<string | null> {
    if (!this.isStale) return this.problem
    this.isStale = false
    try {
      const [first, ...more] = lockChanges(locked, { ...locked, tools: await this.tools(definition, signal) })
      this.problem = first === undefined ? null : `${changeWords(first)}${more.length === 0 ? '' : `, and ${more.length} more`}`
      return this.problem
    } catch (error) {
      this.isStale = true
      throw error
    }
  }

  call(name: string, args: Readonly<Record<string, unknown>>, options: CallOptions): Promise<unknown> {
    return this.session.call(name, args, options)
  }

  async close(): Promise<void> {
    await this.session.close()
    await this.pipe?.close()
  }
}

const changeWords = ({ kind, what, part }: LockChange): string => (kind === 'changed' ? `the ${part!.split('.')[0]} of \`${what}\` changed` : `the tool \`${what}\` was ${kind}`)

const END_MS = 500

/** A pipe that broke is a program that is about to end. */
const soon = (): Promise<boolean> => new Promise(done => setTimeout(() => done(false), END_MS))

/** The last line that tells of a mistake; runtimes print a stack and their version after it. */
function lastLine(words: string): string {
  const lines = words.trimEnd().split('\n')
  const line = (lines.findLast(each => /\b\w*error\b|\bcannot\b|\bnot found\b|\bfailed\b|\bdenied\b/i.test(each)) ?? lines.at(-1) ?? '').trim().slice(0, 300)
  return line === '' ? '' : `. It printed: ${line}`
}
