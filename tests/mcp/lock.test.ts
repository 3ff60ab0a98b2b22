// The files of servers of tools: `.mcp.json`, the lock, what is made of both; asking for agreement.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Type } from '#model/type.ts'
import { DefinitionProblem, definitionHash, readDefinitions, shownDefinition, variablesOf, withVariables } from '#mcp/definition.ts'
import { lockChanges } from '#mcp/lock-changes.ts'
import { entryHash, LockProblem, readLock, writeLock, type LockedServer } from '#mcp/lock-file.ts'
import { lockedTools } from '#mcp/locked-tools.ts'
import { Nesting } from '#mcp/nesting.ts'
import { schemaType } from '#mcp/schema-type.ts'
import { serverSignature } from '#mcp/signature.ts'
import { hasTerminal, onTerminalIn, stepsOnTerminal } from '../e2e/terminal.ts'
import { hostile, ServerProject } from './server-project.ts'

const made: ServerProject[] = []
afterEach(() => made.splice(0).forEach(each => each.remove()))
const projectOf = (servers: Readonly<Record<string, object>>): ServerProject => {
  const project = new ServerProject(servers)
  made.push(project)
  return project
}

const config = (server: unknown, name = 'it'): string => JSON.stringify({ mcpServers: { [name]: server } })
const of = (server: unknown) => readDefinitions(config(server)).get('it')!

test('both kinds of definition, and the words other tools use', () => {
  expect(of({ type: 'stdio', command: 'node', args: ['a.js'], env: { A: 'b' } })).toEqual({ kind: 'stdio', command: 'node', args: ['a.js'], env: { A: 'b' }, tek: { reads: [], content: [], writes: [] } })
  expect(of({ url: 'https://example.com/mcp' })).toMatchObject({ kind: 'http', headers: {} })
  expect(of({ type: 'streamable-http', url: 'http://127.0.0.1:1/mcp', headers: { Authorization: 'Bearer ${T}' } })).toMatchObject({ kind: 'http' })
})

test.each<[unknown, string]>([
  [{ commmand: 'node' }, 'did you mean `command`?'], [{ command: 'node', args: 'x' }, 'it.args is no list'], [{ command: 'node', args: [1] }, 'args[0] is no text'],
  [{ type: 'sse', url: 'https://x' }, '`sse` was given up'], [{ type: 'carrier-pigeon' }, 'neither'], [{ url: 'ftp://x' }, 'no address'], [{ url: 'https://me:pw@host/' }, 'no address'],
  [{ url: 'https://${HOST}/mcp' }, 'which host'], [{ command: '${CMD}' }, 'as it is'], [{}, 'command is no text'], [{ command: 'node', env: { 'A B': '' } }, 'is no name'],
  [{ command: 'a\u001bb' }, 'control character'], [{ command: 'node', tek: { read: [] } }, 'did you mean `reads`?'], [null, 'no object'], [{ command: 'node', url: 'https://x' }, 'url'],
])('a definition that is not understood is refused: %j', (server, says) => {
  const read = () => of(server)
  expect(read).toThrow(DefinitionProblem)
  expect(read).toThrow(says)
})

test('a file that is none is refused', () => {
  for (const text of ['', '[]', '{"mcpServers": []}', '{"servers": {}}', config({ command: 'x' }, '../x')]) expect(() => readDefinitions(text)).toThrow(DefinitionProblem)
})

test('the hash covers what is written, and nothing that a variable holds', () => {
  const one = of({ command: 'node', args: ['${A}', '${B:-c}'], env: { K: 'x${A}y' } })
  expect(definitionHash(one)).toBe(definitionHash(of({ env: { K: 'x${A}y' }, args: ['${A}', '${B:-c}'], command: 'node' })))
  expect(definitionHash(one)).not.toBe(definitionHash(of({ command: 'node', args: ['${A}', '${B:-d}'], env: { K: 'x${A}y' } })))
  expect(variablesOf(one)).toEqual(['A', 'B'])
  expect(withVariables(one, new Map([['A', '1']]))).toMatchObject({ args: ['1', 'c'], env: { K: 'x1y' } })
  expect(withVariables(one, new Map())).toEqual({ missing: 'A' })
  expect(shownDefinition(of({ command: 'node', args: ['a b'], env: { KEY: 'secret' } }))).toBe('node "a b" with KEY')
})

const server = (tools: readonly object[]): LockedServer => ({
  definition: 'd', shows: 'node x', variables: [], reads: [], protocol: '2025-11-25', release: 'x 1',
  tools: lockedTools(tools, { tek: { reads: [], content: ['pic'], writes: ['liar'] } }),
})
const listed = [
  { name: 'write-it', description: 'Writes.', inputSchema: { type: 'object', properties: { path: { type: 'string', description: 'Where.' }, 'dry-run': { type: 'boolean' } }, required: ['path'] } },
  { name: 'pic', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
  { name: 'liar', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
]

test('the lock is canonical, and read as it was written', () => {
  const lock = new Map([['b', server(listed)], ['a', server([...listed].reverse())]])
  const text = writeLock(lock)
  expect(text).toBe(writeLock(new Map([...lock].reverse())))
  expect(entryHash(lock.get('a')!)).toBe(entryHash(lock.get('b')!))
  expect(writeLock(readLock(text))).toBe(text)
  expect(readLock(text).get('a')!.tools.map(each => [each.as, each.effect, each.result])).toEqual([['liar', 'write', 'text'], ['pic', 'read', 'content'], ['write_it', 'write', 'text']])
})

test.each<[string, string]>([
  ['{', 'no JSON'], ['{"version": 2, "servers": {}}', 'version is 2'], ['{"version": 1}', 'servers is no object'], ['{"version": 1, "servers": {"a": {}}}', 'tools is no list'], ['{"version": 1, "servers": {"../a": {}}}', 'no name'],
])('a lock that is none is refused: %s', (text, says) => {
  expect(() => readLock(text)).toThrow(LockProblem)
  expect(() => readLock(text)).toThrow(says === 'no JSON' ? 'not JSON' : says)
})

test('every part of an edited entry is looked at', () => {
  const text = writeLock(new Map([['a', server(listed)]]))
  for (const [from, to] of [['"effect": "read"', '"effect": "none"'], ['"as": "pic"', '"as": "Pic pic"'], ['"as": "pic"', '"as": "liar"'], ['"result": "content"', '"result": "structured"'], ['"definition": "d"', '"definition": 1']] as const) {
    expect(() => readLock(text.replace(from, to)), `${from} → ${to}`).toThrow(LockProblem)
  }
})

test('the differences between two entries', () => {
  const before = server(listed)
  const [write, pic, liar] = listed
  expect(lockChanges(before, server(listed))).toEqual([])
  expect(lockChanges(before, server([{ ...write, description: 'Sends.' }, pic!, liar!]))).toEqual([{ kind: 'changed', what: 'write_it', part: 'doc', before: '"Writes."', after: '"Sends."' }])
  expect(lockChanges(before, server([pic!, liar!, { name: 'more', inputSchema: { type: 'object' } }])).map(each => [each.kind, each.what])).toEqual([['removed', 'write_it'], ['added', 'more']])
  expect(lockChanges(before, { ...before, protocol: '2026-07-28' })).toMatchObject([{ kind: 'changed', what: 'server', part: 'protocol' }])
})

test('what is known in the signature: names, order, trust, need', () => {
  const { functions, server: facts, origin } = serverSignature('files', server(listed))
  expect(origin).toBe('mcp')
  expect(facts).toMatchObject({ name: 'files', definition: 'd', shows: 'node x' })
  expect(functions['write_it']).toMatchObject({
    effect: 'write', untrusted: true, needs: [{ grant: 'mcp', args: [{ literal: 'files' }, { literal: 'write_it' }] }], result: { kind: 'string' },
    params: [{ name: 'path', doc: 'Where.', optional: false, sink: true }, { name: 'dry_run', optional: true, sink: true }],
  })
  expect(functions['pic']!.params).toEqual([])
  expect(functions['pic']!.result).toMatchObject({ kind: 'list' })
})

test.each<[object, Type, number]>([
  [{ type: 'string' }, { kind: 'string' }, 0],
  [{ type: 'array', prefixItems: [] }, { kind: 'json' }, 1],
  [{ type: 'string', 'x-tek-secret': true }, { kind: 'string' }, 0],
  [{ type: 'object', title: 'Secret', properties: { a: { type: 'string' }, b: { if: {} } }, required: ['a'] }, { kind: 'record', fields: { a: { type: { kind: 'string' }, optional: false }, b: { type: { kind: 'json' }, optional: true } } }, 1],
  [{ $ref: 'https://elsewhere/schema' }, { kind: 'json' }, 1],
])('a schema becomes a type, and what has none json: %j', (schema, type, notes) => {
  const found = schemaType(schema as never)
  expect(JSON.parse(JSON.stringify(found.type))).toEqual(type)
  expect(found.notes).toHaveLength(notes)
})

test('a schema that refers to itself, or is nested without end, is json', () => {
  const loop = { $defs: { a: { type: 'object', properties: { a: { $ref: '#/$defs/a' } } } }, $ref: '#/$defs/a' }
  expect(schemaType(loop).type).toEqual({ kind: 'json' })
  let deep: object = { type: 'string' }
  for (let level = 0; level < 1_000; level++) deep = { type: 'array', items: deep }
  expect(schemaType(deep as never).type).toEqual({ kind: 'json' })
})

test('nesting is counted over pieces, outside of texts', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const nesting = new Nesting()
  expect(nesting.take(bytes(`"${'['.repeat(500)}\\"`))).toBe(true)
  expect(nesting.take(bytes('[[[['))).toBe(true)
  expect(nesting.take(bytes(`"${'['.repeat(96)}`))).toBe(true)
  expect(nesting.take(bytes('[[[[['))).toBe(false)
})

test('the command line: a broken file, an unknown server, and no agreement without a person', async () => {
  const project = projectOf({ it: hostile('good') })
  expect((await project.tek(['mcp', 'lock', 'ti'])).err).toContain('mcp/unknown-server')
  const asked = await project.tek(['mcp', 'lock'])
  expect(asked.err).toContain('mcp/not-agreed')
  expect(asked.code).toBe(4)
  expect(project.lock).toBe('')
  const { out } = await project.tek(['mcp', 'lock', '--yes', '--json'])
  expect(JSON.parse(out)).toMatchObject({ version: 1, changed: true, servers: [{ name: 'it', isKnown: false }] })
  expect((await project.tek(['mcp', 'lock', '--check'])).err).toContain('Nothing changed')
  project.write('tek.mcp.lock.json', '{"version": 1, "servers": []}')
  project.write('main.tek', 'use mcp "it" as it\n\nworkflow main() -> null {\n  return null\n}\n')
  const { out: checked, err } = await project.tek(['check', 'main.tek'])
  expect(`${checked}${err}`).toContain('mcp/bad-lock')
  project.write('.mcp.json', '{"mcpServers": {"it": {"comand": "node"}}}')
  expect((await project.tek(['mcp', 'lock'])).err).toContain('mcp/bad-config')
  project.write('tek.mcp.lock.json', '{"version": 1, "servers": {}}')
  project.write('.mcp.json', '{"mcpServers": {"it": {"command": "node"}}}')
  const unlocked = await project.tek(['check', 'main.tek'])
  expect(`${unlocked.out}${unlocked.err}`).toContain('`tek mcp lock it` connects to it')
})

test('nothing is reached, and no variable given away, before somebody agreed to the definition', async () => {
  let asked = 0
  const server = createServer((_, response) => {
    asked++
    response.writeHead(404).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
    const project = projectOf({ it: { url, headers: { Authorization: 'Bearer ${TOKEN}' } } })
    const started = { env: { TOKEN: 'geheim-123' } }
    for (const words of [[], ['--check'], ['--json']]) {
      const { err, code } = await project.tek(['mcp', 'lock', ...words], started)
      expect(err).toContain(`tek would reach ${url} with the header Authorization and give it the values of TOKEN`)
      expect(code).toBe(words[0] === '--check' ? 1 : 4)
    }
    expect(asked).toBe(0)
    expect((await project.tek(['mcp', 'lock', '--yes'], started)).err).toContain('mcp/not-started')
    expect(asked).toBeGreaterThan(0)
  } finally {
    server.close()
  }
})

test('of what a server printed before it ended, the mistake is shown and not what stands after it', async () => {
  const project = projectOf({ it: { command: process.execPath, args: ['not-there.mjs'] } })
  const { err } = await project.tek(['mcp', 'lock', '--yes'])
  expect(err).toMatch(/mcp\/not-started: .* It printed: Error: Cannot find module '[^']*not-there\.mjs'/)
})

describe.skipIf(!hasTerminal)('on a terminal (needs `script`)', () => {
  test('the tools are shown, and nothing is written without a yes; the permit shows what is started', async () => {
    const project = projectOf({ it: hostile('good') })
    const no = await stepsOnTerminal(project.path, ['mcp', 'lock'], [{ when: /Agree to `it` as shown\? \[y\/N\] /, then: '\n' }])
    expect(no.shown).toContain('read  echo')
    expect(no.code).toBe(4)
    expect(project.lock).toBe('')
    const yes = await stepsOnTerminal(project.path, ['mcp', 'lock'], [{ when: /Agree to `it` as shown\? \[y\/N\] /, then: 'y\n' }])
    expect(yes.code).toBe(0)
    expect(JSON.parse(project.lock).servers.it.tools).toHaveLength(1)
    project.write('main.tek', 'use mcp "it" as it\n\nworkflow main() -> string {\n  can mcp("it")\n  task said = it.echo(text: "hello")\n  return trust(said, "a test")\n}\n')
    const run = await onTerminalIn(project.path, ['run', 'main.tek'], ['y\n'])
    expect(run.shown.replace(/\s+/g, ' ')).toMatch(/call it#[0-9a-f]{12} starts \S+ \S+hostile-server\.mjs good/)
    expect(run.shown).toContain('comes with mcp')
    expect(run.code).toBe(0)
  })
})
