// Core grants: what a program may ask for that no module declares.
// Owns: their names and parameters. Does not own: containment (grants/), what modules declare (their signatures).
import type { GrantSignature } from '#model/capability.ts'

const grant = (name: string, doc: string, access: 'read' | 'write', params: GrantSignature['params']): [string, GrantSignature] => [name, { name, doc, params, implies: [], access }]

export const coreGrants: ReadonlyMap<string, GrantSignature> = new Map([
  grant('exec', 'Run a program with arguments that match.', 'write', [{ name: 'program', kind: 'name' }, { name: 'args', kind: 'argv', optional: true }]),
  grant('net', 'Connect to a host.', 'write', [{ name: 'host', kind: 'host' }]),
  grant('env', 'Read a variable of the environment.', 'read', [{ name: 'name', kind: 'name' }]),
  grant('llm', 'Ask a model.', 'write', [{ name: 'model', kind: 'name' }]),
  grant('mcp', 'Use a server of tools.', 'write', [{ name: 'server', kind: 'name' }, { name: 'tool', kind: 'name', optional: true }]),
  grant('ml', 'Train, convert or run models.', 'write', [{ name: 'op', kind: 'name' }]),
  grant('agent.spawn', 'Start agents.', 'write', []),
  grant('program.modify', 'Rewrite a program.', 'write', []),
])
