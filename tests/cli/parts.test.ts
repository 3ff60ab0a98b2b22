// Parts of the command line that are plain functions.
import { expect, test } from 'vitest'
import { didYouMean } from '#base/did-you-mean.ts'
import { plainPaint } from '#base/terminal-text.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Plan, PlanExpr, PlanNode, PlanTest } from '#model/plan.ts'
import type { RunSummary } from '#model/report.ts'
import { applyFixes } from '../../src/cli/apply-fixes.ts'
import { crashReport } from '../../src/cli/crash.ts'
import { exitCodeOf } from '../../src/cli/failure.ts'
import { callsOf, grantsOf } from '../../src/cli/plan-facts.ts'
import { printValue } from '../../src/cli/print-value.ts'
import { expectationsOf, planOfTest, planOfTests } from '../../src/cli/test-plan.ts'
import type { Output } from '../../src/cli/terminal.ts'

const fix = (start: number, end: number, newText: string, safe = true): Diagnostic => ({
  code: 'x/y', severity: 'error', message: '', related: [], help: [], fixes: [{ title: '', safe, edits: [{ at: { path: 'a', start, end }, newText }] }],
})

test('did you mean: what is near, and nothing for short words that only look short', () => {
  const known = ['files', 'mod', 'w', 'len', 'trim', 'string', 'path']
  expect(didYouMean('modle', ['model', 'role'])).toEqual(['model'])
  expect([didYouMean('b', ['by', 'B']), didYouMean('prompt', ['drop'])]).toEqual([['B'], []])
  expect(['flies', 'strng', 'pth', 'MOD', 'now', 'x', 'let', 'this', 'unrelated'].map(word => didYouMean(word, known))).toEqual([['files'], ['string'], ['path'], ['mod'], [], [], ['len'], [], []])
})

test('fixes: from the end, no overlap, unsafe only when asked, other files left alone', () => {
  expect(applyFixes('a', 'abcdef', [fix(0, 1, 'A'), fix(4, 6, '')], false)).toEqual({ text: 'Abcd', count: 2 })
  expect(applyFixes('a', 'abcdef', [fix(0, 3, 'X'), fix(2, 4, 'Y')], false)).toEqual({ text: 'Xdef', count: 1 })
  expect(applyFixes('a', 'abc', [fix(1, 1, '+'), fix(1, 1, '-')], false)).toEqual({ text: 'a+bc', count: 1 })
  expect(applyFixes('a', 'abc', [fix(0, 1, 'X', false)], false)).toEqual({ text: 'abc', count: 0 })
  expect(applyFixes('a', 'abc', [fix(0, 1, 'X', false)], true)).toEqual({ text: 'Xbc', count: 1 })
  expect(applyFixes('b', 'abc', [fix(0, 1, 'X')], true)).toEqual({ text: 'abc', count: 0 })
  expect(applyFixes('a', 'abc', [fix(0, 9, 'X')], true)).toEqual({ text: 'abc', count: 0 })
})

const value = (data: never | unknown): PlanExpr => ({ op: 'value', value: data }) as PlanExpr
const call = (module: string, fn: string, effect: 'pure' | 'read' | 'write'): PlanExpr => ({ op: 'call', module, fn, effect, runs: 'host', args: {}, needs: [] })
const node = (name: string, body: PlanNode['body'], list?: PlanExpr): PlanNode => ({
  name, kind: 'task', dependsOn: [], forEach: list ? { item: 'x', list, width: null } : null, when: null, body, type: { kind: 'any' }, retry: null, timeoutMs: null, cache: null,
  verify: null, priority: 0, needs: null, onFailure: null, approve: null, label: null,
})
const expr = (each: PlanExpr): PlanNode['body'] => ({ kind: 'expr', value: each })
function plan(workflows: Record<string, readonly PlanNode[]>, limits = {}): Plan {
  return { hash: 'h', constants: [{ name: 'three', value: value([1, 2, 3]) }], limits, authority: null, tests: [], workflows: Object.fromEntries(Object.entries(workflows).map(([name, nodes]) => [name, { name, params: [], authority: [], limits: {}, nodes, returns: value(null), returnsDependsOn: [] }])) } as unknown as Plan
}

test('calls and grants of a plan', () => {
  const workflows = { w: [node('a', expr(call('fs', 'read', 'read'))), node('b', { kind: 'workflow', workflow: 'inner', args: {} }), node('c', expr(value({ op: 'call', module: 'evil', fn: 'x', effect: 'write' })))], inner: [node('d', expr(call('fs', 'write', 'write'))), node('e', expr(call('text', 'count', 'pure')))] }
  expect(callsOf(plan(workflows), 'w')).toEqual([{ name: 'fs.read', effect: 'read' }, { name: 'fs.write', effect: 'write' }])
  expect(grantsOf([{ name: 'fs.read', args: [{ op: 'template', parts: [{ op: 'param', name: 'root' }, '/**'] }], implies: [] }, { name: 'exec', args: [value('npm'), value('test')], implies: [] }])).toEqual(['exec("npm", "test")', 'fs.read("${root}/**")'])
})

test('a test block as a workflow', () => {
  const condition: PlanExpr = { op: '==', left: { op: 'local', name: 'found' }, right: { op: 'lambda', param: 'found', body: { op: 'local', name: 'found' } } }
  const block = { name: 't', given: [], steps: [{ kind: 'let', name: 'found', body: { kind: 'workflow', workflow: 'w', args: {} } }, { kind: 'expect', condition, text: 'found == …' }] } as unknown as Plan['tests'][number]
  const made = planOfTest(plan({ w: [] }), block)
  const nodes = made.plan.workflows[made.workflow]!.nodes
  expect(nodes.map(each => [each.name, each.dependsOn])).toEqual([['found', []], ['expect 1', [0]]])
  expect(nodes[1]!.body).toEqual({ kind: 'expr', value: { op: '==', left: { op: 'node', index: 0 }, right: { op: 'lambda', param: 'found', body: { op: 'local', name: 'found' } } } })
  expect(made.plan.hash).not.toBe('h')
  expect(expectationsOf(block, { e0: { holds: false, left: 1, right: 2 } })).toEqual([{ text: 'found == …', holds: false, left: 1, right: 2, parts: [] }])
})

test('nobody is asked to let a test reach out of the machine, whatever the file may', () => {
  const base = plan({ w: [] })
  const grants = [{ name: 'net', args: [value('a.b:443')], implies: [] }, { name: 'fs.read', args: [{ op: 'param' as const, name: 'root' }], implies: [] }]
  const may = (plan: Plan, ...steps: PlanTest['steps']): string[] => {
    const made = planOfTests(plan, [{ name: 't', given: [], steps }])
    return grantsOf(made.plan.workflows[made.workflow]!.authority!)
  }
  expect(may({ ...base, authority: grants }, { kind: 'expect', condition: call('fs', 'read', 'read'), text: 'read' })).toEqual(['fs.read("**")'])
  expect(may({ ...base, authority: grants }, { kind: 'expect', condition: { op: 'denied', call: call('fs', 'read', 'read') }, text: 'denied' })).toEqual([])
  // One that only calls workflows may do what they may; one that calls nothing may do nothing.
  const called = { ...base, workflows: { w: { ...base.workflows['w']!, authority: grants } } }
  expect(may(called, { kind: 'let', name: 'x', body: { kind: 'workflow', workflow: 'w', args: {} } })).toEqual(['fs.read("**")'])
  expect(may({ ...base, authority: grants })).toEqual([])
})

function printed(data: Parameters<typeof printValue>[1], isTerminal: boolean): string {
  let text = ''
  const out: Output = { write: more => void (text += more), isTerminal, paint: plainPaint, columns: () => 60 }
  printValue(out, data)
  return text
}

test('results: text as it is, tables on a terminal, JSON in a pipe', () => {
  expect(printed('a\u001b[2J', false)).toBe('a\u001b[2J\n')
  expect(printed('a\u001b[2J\n', true)).toBe('a␛[2J\n')
  expect(printed(null, true)).toBe('')
  expect(printed([{ file: 'a.ts', count: 3 }, { file: 'b\u001b.ts', count: 12, note: 'x' }], true)).toBe('file   count  note\na.ts       3\nb␛.ts     12  x\n')
  expect(printed([{ file: 'a.ts' }], false)).toBe('[\n  {\n    "file": "a.ts"\n  }\n]\n')
  expect(printed([], true)).toBe('[]\n')
})

test('exit codes', () => {
  const end = (status: RunSummary['status'], code?: string): RunSummary => ({ status, outcome: code === undefined ? (status === 'done' ? { kind: 'value', value: 1 } : null) : { kind: 'failure', failure: { code, message: '', task: '', retryable: false } } }) as RunSummary
  expect(exitCodeOf(end('done'), false)).toBe(0)
  expect(exitCodeOf(end('failed', 'fs/not-found'), false)).toBe(1)
  expect(exitCodeOf(end('failed', 'permit/denied'), false)).toBe(4)
  expect(exitCodeOf(end('stopped'), false)).toBe(5)
  expect(exitCodeOf(end('stopped'), true)).toBe(130)
})

test('a bug says that it is ours, keeps the stack out of the way, and shows it when asked', () => {
  const error = new Error('boom')
  const shown = crashReport(error, ['check'], '/dev/null', { TEK_DEBUG: '1' })
  expect(shown).toMatch(/^This is a bug in tek: Error: boom\n/)
  expect(shown).toContain('    at ')
  expect(crashReport(error, ['check'], '/dev/null', {})).toContain('    at ')
})
