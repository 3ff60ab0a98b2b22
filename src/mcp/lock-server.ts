// Lock server: a server is connected to once, for the person who is about to agree to it.
// Owns: what becomes of its answers: an entry of the lock. Does not own: asking (cli), the file (lock-file.ts).
//   L1. Its program starts confined as in a run: it sees the project and the files it names, changes nothing, reaches no network.
//   L2. Version and tools are found out by the very code that a run compares them with later.
import { mcpErrors } from '#diagnostics/catalog/mcp.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { HostError, type Host } from '#host/host.ts'
import type { ServerAccess } from '#interpreter/guard/server-access.ts'
import { ToolFailure } from '#plugin-api/context.ts'
import { type ClientCode, Connection, OpenProblem } from './connection.ts'
import { definitionHash, type ServerDefinition, shownDefinition, variablesOf, withVariables } from './definition.ts'
import { httpLink } from './http-link.ts'
import type { LockedServer } from './lock-file.ts'
import { safeText } from './locked-tools.ts'
import { PipeLink } from './pipe-link.ts'

const CALL_MS = 60_000
const MAX_RELEASE_LENGTH = 200

export interface LockOptions {
  readonly host: Host
  readonly name: string
  readonly definition: ServerDefinition
  /** Folder of `.mcp.json`. */
  readonly folder: string
  /** L1. */
  readonly access: ServerAccess
  readonly clientUrl: string
  readonly tekVersion: string
  readonly signal: AbortSignal
  readonly onLine: (line: string) => void
}

/** The entry that a server would have in the lock, as it is now; or why there is none. */
export async function lockServer({ host, name, definition, folder, access, clientUrl, tekVersion, signal, onLine }: LockOptions): Promise<LockedServer | Diagnostic> {
  const values = new Map(variablesOf(definition).flatMap(each => [[each, access.variable(each)] as const]).filter((each): each is readonly [string, string] => each[1] !== undefined))
  const whole = withVariables(definition, values)
  if ('missing' in whole) return mcpErrors['missing-variable']({ server: name, name: whole.missing })
  const code = (await import(clientUrl)) as ClientCode
  let connection: Connection | null = null
  try {
    connection = await Connection.open({
      definition, code, tekVersion, protocol: null, signal,
      launch: async () => {
        if (whole.kind === 'stdio') return new PipeLink(await (await access.confine({ program: whole.command, args: whole.args, cwd: folder, env: whole.env })).start(), folder, { onLine })
        if (host.stream === undefined) throw new OpenProblem('this host reaches no network')
        const { url, headers } = whole
        return { kind: 'http', url, headers, fetch: httpLink({ stream: host.stream.bind(host), url, needsOwnGrant: access.needsOwnGrant, firstByteMs: CALL_MS, idleMs: CALL_MS }) }
      },
    })
    const { protocol, release } = connection.session
    return {
      definition: definitionHash(definition), shows: shownDefinition(definition), variables: variablesOf(definition), reads: definition.tek.reads, protocol,
      release: safeText(release, MAX_RELEASE_LENGTH), tools: await connection.tools(definition, signal), // L2
    }
  } catch (error) {
    if (error instanceof ToolFailure) return { code: error.code, severity: 'error', message: error.message, related: [], help: error.help === undefined ? [] : [error.help], fixes: [] }
    if (!(error instanceof OpenProblem || error instanceof HostError || (error instanceof Error && error.name === 'SessionFailure'))) throw error
    const hint = definition.kind === 'stdio'
      ? 'It is started in a sandbox: it sees this folder and what `"tek": {"reads": […]}` names, and has no network (`npx` can fetch nothing: install the server, and name its file).'
      : 'Look at the address, and whether the server speaks "Streamable HTTP".'
    return mcpErrors['not-started']({ server: name, reason: safeText(error.message, 1_000), hint })
  } finally {
    await connection?.close()
  }
}
