// Attacks on the folder of a candidate: what a plan, a value or a command could do to work elsewhere than in its own workspace.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { initialState } from '#interpreter/engine/state.ts'
import { transition } from '#interpreter/engine/transition.ts'
import { workspaceOf } from '#interpreter/engine/workspace.ts'
import type { Plan } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { nodeHost } from '#host/node-host.ts'
import { hashPlan, validatePlan } from '#types/plan-json.ts'
import { run } from '#tek.ts'
import { call, plan, sub, task, value, workflow } from '../engine/plan-builder.ts'
import { LoopWorld, loopWorlds } from './loop-world.ts'

const world = loopWorlds()

/** A plan whose second workflow works where its first node says. */
const made = (folder: Value): Plan => {
  const read = (path: string) => call('read', { path: value(path) }, { module: 'fs', effect: 'read', needs: [{ grant: 'fs.read', args: [{ param: 'path' }] }] })
  const inner = { ...workflow([task('workspace', value(folder as never)), task('text', read('secret.txt'), { dependsOn: [0] })], { op: 'node', index: 1 }), authority: [{ name: 'fs.read', args: [value('**')], implies: [] }], returnsDependsOn: [1], worksIn: 0, standsFor: { kind: 'candidate' as const, loop: 'l' } }
  const outer = { ...workflow([task('go', sub('@candidate:l'))], { op: 'node', index: 0 }), authority: [{ name: 'fs.read', args: [value('**')], implies: [] }], returnsDependsOn: [0] }
  const whole = plan({ main: outer, '@candidate:l': inner }, { loops: ['l'], modules: [{ name: 'fs', origin: 'std', source: 'fs', release: '', hash: '' }] })
  return { ...whole, hash: hashPlan(whole) }
}

describe('a value that is no workspace', () => {
  const folders: Value[] = ['/etc', '..', '.', '', '.tek', '.tek/work', '.tek/work/a', '.tek/work/a/..', '.tek/work/../../x/y', '.tek/work/a/b/c', './.tek/work/a/b', '.tek/work/a/b/', '.tek/work/a\0/b', '.TEK/work/a/b', '.tek/work/ /b', 7, true, ['x'], { a: 1 }, 'src']
  test.each(folders.map(each => [JSON.stringify(each), each] as const))('%s', async (_name, folder) => {
    const of = world('workflow w() -> int { return 1 }\n', { 'secret.txt': 'secret', 'src/secret.txt': 'secret', '.tek/secret.txt': 'secret', '.tek/work/a/secret.txt': 'secret', '.tek/work/secret.txt': 'secret' })
    const answer = await run(nodeHost({ cwd: of.folder }), { plan: made(folder), program: 'p', args: {}, database: null, tekVersion: '0', onNotice: () => {} })
    expect(answer).toMatchObject({ value: { outcome: { failure: { code: 'permit/denied' } } } })
  })

  test('one that is is one', async () => {
    const of = world('workflow w() -> int { return 1 }\n', { '.tek/work/a/b/secret.txt': 'of the candidate' })
    const answer = await run(nodeHost({ cwd: of.folder }), { plan: made('.tek/work/a/b'), program: 'p', args: {}, database: null, tekVersion: '0', onNotice: () => {} })
    expect(answer).toMatchObject({ value: { outcome: { value: 'of the candidate' } } })
  })

  test('a link in its place leads nowhere', async () => {
    const of = world('workflow w() -> int { return 1 }\n', { 'elsewhere/secret.txt': 'secret' })
    mkdirSync(join(of.folder, '.tek/work/a'), { recursive: true })
    symlinkSync(join(of.folder, 'elsewhere'), join(of.folder, '.tek/work/a/b'))
    const answer = await run(nodeHost({ cwd: of.folder }), { plan: made('.tek/work/a/b'), program: 'p', args: {}, database: null, tekVersion: '0', onNotice: () => {} })
    expect(answer).toMatchObject({ value: { outcome: { kind: 'failure' } } })
  })
})

test('a plan gives workspaces, uncounted tasks and runs that only tell to parts of loops alone', () => {
  const good = made('.tek/work/a/b')
  const problem = (plan: Plan) => validatePlan({ ...plan, hash: hashPlan(plan) }).problem
  expect(problem(good)).toBe(null)
  const inner = good.workflows['@candidate:l']!
  const { standsFor: _, ...written } = inner
  const other = (workflow: object): Plan => ({ ...good, workflows: { ...good.workflows, '@candidate:l': workflow as typeof inner } })
  expect(problem(other(written))).toMatchObject({ problem: 'workflows.@candidate:l.worksIn names no workspace' })
  expect(problem(other({ ...inner, worksIn: 9 }))).toMatchObject({ problem: 'workflows.@candidate:l.worksIn names no workspace' })
  const { worksIn: __, ...plain } = written
  const [first, ...rest] = inner.nodes
  expect(problem(other({ ...plain, nodes: [{ ...first, uncounted: true }, ...rest] }))).toMatchObject({ problem: 'workflows.@candidate:l.nodes[0].uncounted is not of a loop' })
  expect(problem(other({ ...plain, nodes: [{ ...first, verify: { runs: 1, agree: null, upTo: null, key: null, tells: true } }, ...rest] }))).toMatchObject({ problem: 'workflows.@candidate:l.nodes[0].verify is damaged' })
  expect(problem({ ...good, loops: ['k'] })).toMatchObject({ problem: 'workflows.@candidate:l.standsFor names no part of a loop of the plan' })
  expect(problem({ ...good, modules: [...good.modules, { name: 'fs2', origin: 'loop', source: '', release: '', hash: '' }] })).toMatchObject({ problem: 'modules[1] is no module of loops' })
})

test('the folder of a task is that of the innermost workspace around it', () => {
  const good = made('.tek/work/a/b')
  const state = initialState(good, { parallel: 1, cpu: 1, memoryBytes: 0 })
  const at = 1
  transition(state, { kind: 'run-started', atMs: at, runId: 'r', planHash: good.hash, workflow: 'main', args: {}, tekVersion: '0' })
  transition(state, { kind: 'evaluated', atMs: at, task: 0, attempt: 1, part: 'setup', outcome: { kind: 'value', value: { args: {}, authority: [] } }, elapsedMs: 0 })
  expect(workspaceOf(state, 1)).toBe(null)
})

describe('from within', () => {
  const loop = (body: string, can: string) => `
workflow attack() -> any {
  can ${can}
  task done = ${body}
  return done
}
loop tries over copy("site") {
  can fs.read("site/**"), fs.write("site/**"), ${can}
  limits { cycles: 1 }
  differentiate = 1
  run = attack()
  score = 0.9
  rollback when not run.passed do note("x")
}
`
  const reasons = (of: LoopWorld) => of.kept((store, key) => store.decisions(key, 20).map(each => each.rationale).join('\n'))

  test.each([
    ['up and out', 'fs.write("../../../../site/hacked.txt", "x")', 'fs.write("**")'],
    ['another candidate', 'fs.write("../1-1/hacked.txt", "x")', 'fs.write("../**")'],
    ['the record of what it began with', 'fs.write("../1-0.json", "{}")', 'fs.write("../**")'],
    ['the journal', 'fs.read("../../../tek.db")', 'fs.read("../../../**")'],
    ['its own control folder', 'fs.write(path.join(".tek", "STOP"), "")', 'fs.write("**")'],
  ])('%s', async (_name, body, can) => {
    const of = world(loop(body, can), { 'site/page.txt': 'page' })
    await of.drive()
    expect(await reasons(of)).toContain('permit/denied')
    expect(existsSync(join(of.folder, 'site/hacked.txt'))).toBe(false)
  })

  test('a command sees and changes its workspace and nothing of the project', async ({ skip }) => {
    const host = nodeHost({ cwd: '/' })
    if (((await host.isolation?.()) ?? 0) < 2) skip()
    const of = world(loop('shell.run("sh", "-c", "echo in > site/made.txt; echo out > ../../../../site/hacked.txt; cat ../../../../other.txt; ls -a . ../../../.. 2>&1")', 'exec("sh", "**"), fs.read("**"), fs.write("**")').replace('score = 0.9', 'score = 0.9\n  promote when true do note("y")'), { 'site/page.txt': 'page', 'other.txt': 'a secret of the project' })
    const { standing } = await of.drive()
    expect(standing?.champion?.version).toBe(1)
    expect(readFileSync(join(of.folder, 'site/made.txt'), 'utf8')).toBe('in\n')
    expect(existsSync(join(of.folder, 'site/hacked.txt'))).toBe(false)
    const journal = await of.kept((store, key, whole) => JSON.stringify([...whole.openRun(store.past(key, 1)[0]!.runId)!.log.events()]))
    expect(journal).not.toContain('a secret of the project')
  })

  test('a link that a candidate leaves behind is promoted as a link, and followed by nobody', async ({ skip }) => {
    const host = nodeHost({ cwd: '/' })
    if (((await host.isolation?.()) ?? 0) < 2) skip()
    const of = world(loop('shell.run("ln", "-s", "/etc/passwd", "site/passwd")', 'exec("ln", "**"), fs.read("**"), fs.write("**")').replace('score = 0.9', 'score = 0.9\n  promote when true do note("y")'), { 'site/page.txt': 'page' })
    await of.drive()
    writeFileSync(join(of.folder, 'x'), '')
    const { lstatSync } = await import('node:fs')
    expect(lstatSync(join(of.folder, 'site/passwd')).isSymbolicLink()).toBe(true)
  })
})
