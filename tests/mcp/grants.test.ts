// The grant `mcp`: what covers what, before a run and in it; what a machine without a sandbox does.
import { expect, test } from 'vitest'
import { containsGrant, matchesGrant } from '#grants/match.ts'
import { verdictOf } from '#grants/verdict.ts'
import { nodeHost } from '#host/node-host.ts'
import { serverAccess, serverInGrant } from '#interpreter/guard/server-access.ts'
import type { Grant } from '#model/capability.ts'

const mcp = (...args: string[]): Grant => ({ name: 'mcp', args })

test.each<[Grant, Grant, boolean]>([
  [mcp('files'), mcp('files'), true], [mcp('files'), mcp('files', 'read'), true], [mcp('files'), mcp('files', 're*'), true], [mcp('*'), mcp('files', 'read'), true],
  [mcp('files', 'read'), mcp('files', 'read'), true], [mcp('files', 're*'), mcp('files', 'read'), true], [mcp('files', 're*'), mcp('files', 'rea*'), true], [mcp('files', '*'), mcp('files'), true],
  [mcp('files#abc'), mcp('files#abc', 'read'), true], [mcp('files'), mcp('files#abc', 'read'), true],
  [mcp('files'), mcp('file'), false], [mcp('files', 'read'), mcp('files'), false], [mcp('files', 'read'), mcp('files', 'write'), false], [mcp('files', 'rea*'), mcp('files', 're*'), false],
  [mcp('files#abc'), mcp('files'), false], [mcp('files#abc'), mcp('files#abcd', 'read'), false], [mcp('files#abc'), mcp('files#def'), false], [mcp('files'), mcp('files2#abc'), false],
  [mcp(), mcp('files'), false], [mcp('files', 'a', 'b'), mcp('files', 'a'), false], [mcp('files'), mcp(), false],
])('%j covers %j: %s', (outer, inner, covers) => {
  expect(containsGrant(outer, inner)).toBe(covers)
  expect(matchesGrant(outer, inner, '/x')).toBe(covers)
})

test('a call is proved to be granted, or not, before a run', () => {
  const wanted = { name: 'mcp', args: [{ kind: 'exact' as const, text: 'files' }, { kind: 'exact' as const, text: 'read' }] }
  expect(verdictOf([mcp('files', 're*')], wanted, () => ['name', 'name'])).toBe('inside')
  expect(verdictOf([mcp('files', 'write')], wanted, () => ['name', 'name'])).toBe('outside')
})

const facts = { name: 'it', definition: 'a'.repeat(64), shows: 'node x', variables: [], reads: ['lib/**'] }
const options = (isolation: 0 | 1) => ({
  host: { ...nodeHost({ cwd: '/' }), isolation: async () => isolation }, cwd: '/', authority: [[mcp('it')]], implied: [], signal: new AbortController().signal, idempotencyKey: '', taskPath: '',
  onCount: () => {}, onLog: () => {}, onProgress: () => {},
})

test('where the machine has no sandbox a server is refused, unless that was accepted by name', async () => {
  const command = { program: 'node', args: [], cwd: '/', env: {} }
  await expect(serverAccess(options(1), null, facts).confine(command)).rejects.toMatchObject({ code: 'permit/no-sandbox' })
  await expect(serverAccess({ ...options(1), mayBeUnconfined: true }, null, facts).confine(command)).resolves.toMatchObject({ key: expect.stringMatching(/^[0-9a-f]{64}$/) })
})

test('a variable is read only where the person lets it be read', () => {
  process.env['TEK_MCP_TEST'] = 'x'
  expect(serverAccess(options(0), [{ name: 'env', args: ['TEK_MCP_TEST'] }], facts).variable('TEK_MCP_TEST')).toBe('x')
  expect(() => serverAccess(options(0), [mcp('it')], facts).variable('TEK_MCP_TEST')).toThrow('environment variable')
  expect(serverInGrant(facts)).toBe(`it#${'a'.repeat(12)}`)
})
