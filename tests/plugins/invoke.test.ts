// One call of a tool in this process, and what a definition says of itself.
import { describe, expect, test } from 'vitest'
import { NotPlain, plainValue } from '#base/plain-value.ts'
import { HostError } from '#host/host.ts'
import type { Value } from '#model/type.ts'
import { definePlugin, pure, reads, t, ToolFailure, writes, z, type Plugin, type Tool } from '#plugin-api/index.ts'
import { invokePure, invokeTool } from '#plugin-api/invoke.ts'
import { signatureOf } from '#plugin-api/signature-of.ts'
import { stdManifest } from '#plugins/std-manifest.ts'
import { watchedContext } from './workshop.ts'

const of = (tools: Record<string, Tool>): Plugin => definePlugin({ name: 'p', version: '1.0.0', doc: 'Test.', tools })
const call = (plugin: Plugin, fn: string, args: Record<string, Value> = {}) => invokeTool(plugin, { module: 'p', fn, args }, watchedContext('/').context)

describe('calls', () => {
  const plugin = of({
    greet: pure({ doc: '', input: { name: z.string(), mark: z.string().default('!'), loud: z.boolean().optional() }, output: z.string(), run: ({ name, mark, loud }) => (loud ? name.toUpperCase() : name) + mark }),
    nothing: reads({ doc: '', input: {}, output: z.null(), run: async () => null }),
    drops: reads({ doc: '', input: {}, output: z.object({ a: z.int() }), run: async () => ({ a: -0, secret: 1 }) }),
    fails: reads({ doc: '', input: {}, output: z.int(), run: async () => { throw new ToolFailure('busy', 'It is busy.', { retryable: true, help: 'Wait.' }) } }),
    misses: reads({ doc: '', input: {}, output: z.int(), run: async () => { throw new HostError('timed-out', 'x', 'x did not answer.') } }),
    crashes: reads({ doc: '', input: {}, output: z.int(), run: async () => (null as unknown as { x: number }).x }),
    sells: reads({ doc: '', input: {}, output: z.int(), run: async () => { throw new ToolFailure('Sold out!', 'None left.') } }),
    throwsText: reads({ doc: '', input: {}, output: z.int(), run: async () => { throw 'text' } }),
    strange: reads({ doc: '', input: {}, output: t.any, run: async () => ({ when: new Map() }) }),
  })
  test.each([
    ['greet', { name: 'a' }, 'a!'], ['greet', { name: 'a', mark: null, loud: null }, 'a!'], ['greet', { name: 'a', loud: true, mark: '' }, 'A'], ['nothing', {}, null], ['drops', {}, { a: 0 }],
  ] as const)('%s(%j)', async (fn, args, value) => {
    expect(await call(plugin, fn, args)).toEqual({ kind: 'value', value })
  })
  test.each([
    ['greet', {}, 'plugin/bad-input', '`name` of `p.greet` cannot be that', false],
    ['greet', { name: 'a', other: 1 }, 'plugin/bad-input', 'has no parameter `other`', false],
    ['greet', { name: 'a', toString: 1 }, 'plugin/bad-input', 'has no parameter `toString`', false],
    ['toString', {}, 'plugin/unknown-tool', 'has no `toString`', false],
    ['fails', {}, 'p/busy', 'It is busy.', true],
    ['misses', {}, 'p/timed-out', 'x did not answer.', true],
    ['sells', {}, 'p/sold-out', 'None left.', false],
    ['crashes', {}, 'plugin/crashed', 'invoke.test.ts:', false],
    ['throwsText', {}, 'plugin/crashed', '`p.throwsText` crashed: text', false],
    ['strange', {}, 'plugin/bad-output', 'when is a Map', false],
  ])('%s fails: %j %s', async (fn, args, code, message, retryable) => {
    expect(await call(plugin, fn, args as unknown as Record<string, Value>)).toMatchObject({ kind: 'failure', failure: { code, message: expect.stringContaining(message) as string, retryable, task: '' } })
  })
  test('pure functions throw ToolFailure and nothing else', () => {
    expect(invokePure(plugin, 'greet')({ name: 'x' })).toBe('x!')
    expect(() => invokePure(plugin, 'greet')({})).toThrow(expect.objectContaining({ name: 'ToolFailure', code: 'plugin/bad-input' }))
    expect(() => invokePure(plugin, 'fails')).toThrow(ToolFailure)
    const breaks = of({ f: pure({ doc: '', input: {}, output: z.int(), run: () => { throw new RangeError('no') } }) })
    expect(() => invokePure(breaks, 'f')({})).toThrow(expect.objectContaining({ name: 'ToolFailure', code: 'plugin/crashed' }))
  })
  test('a stopped call says so', async () => {
    const watched = watchedContext('/')
    watched.abort.abort()
    expect(await invokeTool(plugin, { module: 'p', fn: 'misses', args: {} }, watched.context)).toMatchObject({ failure: { code: 'run/cancelled' } })
    expect(await invokeTool(plugin, { module: 'p', fn: 'fails', args: {} }, watched.context)).toMatchObject({ failure: { code: 'p/busy' } })
  })
})

describe('plain values', () => {
  test('what is kept', () => {
    const tricky = JSON.parse('{"__proto__":{"x":1},"a":[null,-0,"\\ud800"]}') as object
    const copy = plainValue({ ...tricky, gone: undefined }) as Record<string, unknown>
    expect(Object.keys(copy)).toEqual(['__proto__', 'a'])
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(copy['a']).toEqual([null, 0, '\ufffd'])
    expect(plainValue(Object.create(null))).toEqual({})
  })
  test.each([[1n], [Number.NaN], [() => 1], [Symbol('x')], [new Date(0)], [new Map()], [{ a: [Infinity] }]])('%s is none', value => {
    expect(() => plainValue(value)).toThrow(NotPlain)
  })
  test('cycles end', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(() => plainValue(cycle)).toThrow(NotPlain)
  })
})

describe('signatures', () => {
  const signature = (plugin: Plugin) => signatureOf(plugin, { origin: 'plugin', hash: 'h' })
  test('marks, needs, secrets, rest', () => {
    const { value, problems } = signature(definePlugin({
      name: 'p', version: '1.0.0', doc: 'D', grants: { read: { doc: 'G', params: { dir: 'path', args: 'argv' }, access: 'read', implies: [['exec', 'git', 'log', '**']] } },
      constants: { pi: { doc: 'C', schema: z.number(), value: 3.14 } },
      tools: {
        move: writes({ doc: 'M', input: { from: t.path, to: t.path }, output: z.null(), needs: { 'fs.write': [['$from'], ['$to']], 'p.read': ['$from', 'log'] }, sinks: ['to'], run: async () => null }),
        send: writes({ doc: 'S', input: { key: t.secret(z.string()), parts: z.array(z.string()) }, rest: 'parts', output: t.untrusted(z.string()), untrusted: true, runs: 'thread', run: async () => '' }),
        same: pure({ doc: 'I', input: { value: t.variable('T') }, output: t.variable('T'), example: 'p.same(1) == 1', run: ({ value }) => value }),
      },
    }))
    expect(problems).toEqual([])
    expect(value).toMatchSnapshot()
  })
  test('all problems of a definition at once', () => {
    const bad = definePlugin({
      name: 'not a name', version: 'x', doc: '', grants: { g: { doc: '', params: { a: 'glob' as 'path' }, access: 'read' } }, constants: { c: { doc: '', schema: z.any(), value: new Date() } },
      tools: {
        'bad-name': pure({ doc: '', input: {}, output: z.int(), run: () => 1 }),
        order: pure({ doc: '', input: { a: z.int().optional(), b: z.int() }, output: z.int(), run: () => 1 }),
        rest: pure({ doc: '', input: { a: z.int(), b: z.int() }, rest: 'a', output: z.int(), run: () => 1 }),
        sink: pure({ doc: '', input: {}, output: z.set(z.int()), sinks: ['x' as never], run: () => new Set<number>() }),
      },
    })
    expect(signature(bad).problems.map(each => `${each.where}: ${each.reason}`)).toMatchSnapshot()
    expect(signature(bad).value).toBeNull()
  })
  test('the manifest of the standard library is the same whatever the order', () => {
    const [a, b] = ['a', 'b'].map(name => ({ name, hash: name, plugin: definePlugin({ name, version: '1.0.0', doc: '' }) }))
    expect(stdManifest([a!, b!])).toBe(stdManifest([b!, a!]))
    expect(() => stdManifest([{ ...a!, name: 'x' }])).toThrow('calls itself `a`')
  })
})
