// A program's parameters as flags.
import { describe, expect, test } from 'vitest'
import { plainPaint } from '#base/terminal-text.ts'
import type { Plan, PlanParam } from '#model/plan.ts'
import type { Type, Value } from '#model/type.ts'
import { CliFailure } from '../../src/cli/command.ts'
import { readWorkflowArguments, readWorkflowWords, workflowHelp } from '../../src/cli/workflow-flags.ts'

const param = (name: string, type: Type, value?: Value): PlanParam => ({ name, type, default: value === undefined ? null : { op: 'value', value } })
const list = (item: Type): Type => ({ kind: 'list', item })

function plan(params: readonly PlanParam[], entries: readonly string[] = ['w']): Plan {
  const workflow = { name: 'w', params, result: { kind: 'int' } }
  return { entries, workflows: Object.fromEntries(entries.map(key => [key, workflow])), docs: { w: 'Does it.\nWell.', 'w/root': 'Where to look.' } } as unknown as Plan
}

const params = [
  param('root', { kind: 'path' }, 'src'), param('maxFiles', { kind: 'int', min: 1, max: 100 }, 10), param('deep', { kind: 'bool' }, false), param('wait', { kind: 'duration' }, 0),
  param('limit', { kind: 'size' }, 0), param('cost', { kind: 'money' }, 0), param('level', { kind: 'union', members: [{ kind: 'literal', value: 'low' }, { kind: 'literal', value: 'high' }] }, 'low'),
  param('names', list({ kind: 'string' }), []), param('extra', { kind: 'json' }, null), param('args', list({ kind: 'string' }), []),
]

function read(words: string, trailing: string[] | null = null, file: Record<string, unknown> = {}): Record<string, Value> | string[] {
  try {
    return readWorkflowArguments(plan(params), 'w', words === '' ? [] : words.split(' '), trailing, file)
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error
    expect(error.exitCode).toBe(2)
    return error.diagnostics.map(each => each.code)
  }
}

const good: [string, Record<string, Value>][] = [
  ['', {}],
  ['--root lib', { root: 'lib' }],
  ['--root=a=b', { root: 'a=b' }],
  ['--maxFiles 20', { maxFiles: 20 }],
  ['--max-files 20', { maxFiles: 20 }],
  ['--deep', { deep: true }],
  ['--deep --root lib', { deep: true, root: 'lib' }],
  ['--deep false', { deep: false }],
  ['--no-deep', { deep: false }],
  ['--wait 5m', { wait: 300_000 }],
  ['--limit 64KB', { limit: 65_536 }],
  ['--cost $0.50', { cost: 500_000 }],
  ['--level high', { level: 'high' }],
  ['--names a --names b', { names: ['a', 'b'] }],
  ['--names ["a","b"]', { names: ['a', 'b'] }],
  ['--extra {"a":[1]}', { extra: { a: [1] } }],
]
describe('good', () => {
  for (const [words, expected] of good) test(words || '(nothing)', () => expect(read(words)).toEqual(expected))
  test('after --', () => expect(read('', ['npm', 'test', '--', '-x'])).toEqual({ args: ['npm', 'test', '--', '-x'] }))
  test('a file, and flags win over it', () => expect(read('--root lib', null, { root: 'x', maxFiles: 3 })).toEqual({ root: 'lib', maxFiles: 3 }))
})

const bad: [string, string[]][] = [
  ['--rot lib', ['cli/unknown-parameter']],
  ['--rot', ['cli/unknown-parameter']],
  ['--max-files many', ['cli/bad-parameter']],
  ['--max-files 0', ['cli/bad-parameter']],
  ['--level middle', ['cli/bad-parameter']],
  ['--wait 5', ['cli/bad-parameter']],
  ['--root', ['cli/missing-value']],
  ['--root a --root b', ['cli/bad-parameter']],
  ['--no-root', ['cli/unknown-parameter']],
  ['stray', ['cli/too-many-arguments']],
  ['--rot x --level y', ['cli/unknown-parameter', 'cli/bad-parameter']],
]
describe('bad', () => {
  for (const [words, codes] of bad) test(words, () => expect(read(words)).toEqual(codes))
  test('a file with an unknown field and a wrong type', () => expect(read('', null, { rot: 1, maxFiles: 'x' })).toEqual(['cli/unknown-parameter', 'cli/bad-parameter']))
  test('needed and not given', () => expect(() => readWorkflowArguments(plan([param('root', { kind: 'path' })]), 'w', [], null, {})).toThrow('cli/missing-parameter'))
  test('after --, and no parameter takes it', () => expect(() => readWorkflowArguments(plan([]), 'w', [], ['x'], {})).toThrow('cli/no-trailing-arguments'))
})

describe('parameters with odd names', () => {
  const odd = plan([param('__proto__', { kind: 'json' }), param('constructor', { kind: 'int' }), param('AB', { kind: 'int' }, 1), param('ab', { kind: 'int' }, 1)])

  test('get what is given, and are missed when nothing is', () => {
    const args = readWorkflowArguments(odd, 'w', ['--__proto__', '{"polluted":true}', '--constructor', '2', '--ab', '3'], null, {})
    expect(Object.entries(args)).toEqual([['__proto__', { polluted: true }], ['constructor', 2], ['ab', 3]])
    expect(Object.entries(readWorkflowArguments(odd, 'w', [], null, JSON.parse('{"__proto__":[1],"constructor":2}') as Record<string, unknown>))).toEqual([['__proto__', [1]], ['constructor', 2]])
    expect(() => readWorkflowArguments(odd, 'w', ['--__proto__', '1'], null, {})).toThrow('cli/missing-parameter')
  })
})

test('what is wrong with a value is said in the words of its type', () => {
  const said = (type: Type, text: string): unknown => {
    try {
      return readWorkflowArguments(plan([param('x', type)]), 'w', ['--x', text], null, {})
    } catch (error) {
      return (error as CliFailure).diagnostics.flatMap(each => each.help)
    }
  }
  expect(said({ kind: 'record', fields: { a: { type: { kind: 'int' }, optional: false } } }, '{"a":"b"}')).toEqual(['a: int is needed, the text "b" is given.'])
  expect(said({ kind: 'map', value: { kind: 'int' } }, '5')).toEqual(['map<int> is needed, 5 is given.'])
  expect(said({ kind: 'int' }, 'x')).toEqual(['A whole number is needed, "x" is given.'])
  expect(said({ kind: 'string' }, 'x'.repeat(1_000_001))).toEqual(['It is longer than 1000000 characters; pass it in a file with --args.'])
})

test('the workflow is the first word, or anywhere when there are several', () => {
  expect(readWorkflowWords(['review', '--root', 'x'], plan([]))).toEqual({ workflow: 'review', words: ['--root', 'x'] })
  expect(readWorkflowWords(['--root', 'x', 'b'], plan([], ['a', 'b']))).toEqual({ workflow: 'b', words: ['--root', 'x'] })
  expect(readWorkflowWords(['--root', 'x'], plan([]))).toEqual({ workflow: undefined, words: ['--root', 'x'] })
})

test('help of a program', () => {
  expect(workflowHelp(plan(params.slice(0, 3)), 'flow.tek', undefined, plainPaint)).toMatchInlineSnapshot(`
    "tek run flow.tek [--PARAMETER VALUE]
      Does it.
      Well.
      --root       path, default "src"
                   Where to look.
      --max-files  int(1..100), default 10
      --deep       bool, default false
      gives int
    "
  `)
  expect(workflowHelp(plan([]), 'flow.tek', undefined, plainPaint)).toContain('It takes no parameters.')
})
