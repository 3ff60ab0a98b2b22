// Attacks on what tek keeps: plans, journals, the audit log, permits, the kill switch; changed behind its back, then used.
import Database from 'better-sqlite3'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { hashPlan } from '#types/plan-json.ts'
import type { Plan } from '#model/plan.ts'
import { tek, type Answer } from '../../cli/command-line.ts'
import type { Attack, Family, Layer, Stopped } from './attack.ts'
import type { World } from './world.ts'

const reads = 'workflow w() -> untrusted string {\n  can fs.read("src/**")\n  task it = fs.read("src/a.ts")\n  return it\n}\n'
const fails = 'workflow w(ok: bool = false) -> int {\n  can fs.read("src/**")\n  task one = len(fs.read("src/a.ts"))\n  task two = fs.size("src/none")\n  return one\n}\n'

/** A folder with a program, where nothing else of `world` is in the way. */
async function project(world: World, program: string): Promise<{ cwd: string; run: (...words: string[]) => Promise<Answer> }> {
  const cwd = join(world.root, 'project')
  world.put('../project/a.tek', program)
  world.put('../project/src/a.ts', 'a')
  world.put('../home/x', '')
  return { cwd, run: (...words) => tek(words, { cwd, env: { HOME: join(world.root, 'home'), XDG_DATA_HOME: join(world.root, 'home'), XDG_STATE_HOME: join(world.root, 'home') } }) }
}

function code(answer: Answer): string | null {
  return /error (\w[\w-]*\/[\w-]+)/.exec(answer.err + answer.out)?.[1] ?? null
}

function attempt(id: string, tries: string, by: Layer, expected: string, run: (world: World) => Promise<Answer>): Attack {
  return {
    id, tries, by, with: expected,
    async run(world): Promise<Stopped> {
      const answer = await run(world)
      world.seal()
      const found = code(answer)
      return found === null ? { by: 'nothing', with: `exit code ${answer.code}` } : { by, with: found }
    },
  }
}

/** Changes the plan that `tek compile` wrote. */
async function compiled(world: World, change: (plan: Plan & { [field: string]: unknown }) => void, ...flags: string[]): Promise<Answer> {
  const { cwd, run } = await project(world, reads)
  expect((await run('compile', 'a.tek', '-o', 'plan.json')).code).toBe(0)
  const plan = JSON.parse(readFileSync(join(cwd, 'plan.json'), 'utf8')) as Plan & { [field: string]: unknown }
  change(plan)
  writeFileSync(join(cwd, 'plan.json'), JSON.stringify(plan))
  return run('run', 'plan.json', '--no-journal', ...flags)
}

function widen(plan: Plan): void {
  const text = JSON.stringify(plan).replaceAll('src/**', '/**').replaceAll('src/a.ts', '/etc/hostname')
  Object.assign(plan, JSON.parse(text))
}

/** Changes the database of a run that is over, then asks for it again. */
async function recorded(world: World, program: string, sql: string, ...then: string[]): Promise<Answer> {
  const { cwd, run } = await project(world, program)
  await run('run', 'a.tek', '--allow-all', '--quiet')
  const db = new Database(join(cwd, '.tek/tek.db'))
  try {
    db.exec(sql)
  } finally {
    db.close()
  }
  return run(...then)
}

const attacks: readonly Attack[] = [
  attempt('plan-widened', 'widen what a compiled plan may do', 'plan', 'plan/damaged', world => compiled(world, widen, '--allow-all')),
  attempt('plan-hash', 'widen it and write its hash anew; the permit was for the other', 'permits', 'permit/needed', world => compiled(world, plan => {
    widen(plan)
    ;(plan as { hash: string }).hash = hashPlan(plan)
  }, '--allow', 'fs.read("src/**")')),
  attempt('plan-version', 'say that it is of another version', 'plan', 'plan/other-version', world => compiled(world, plan => void Object.assign(plan, { version: 999 }), '--allow-all')),
  attempt('plan-poison', 'name a part `__proto__`', 'plan', 'plan/damaged', world => compiled(world, plan => {
    ;(plan as { workflows: unknown }).workflows = JSON.parse('{"__proto__": {"name": "x"}}')
  }, '--allow-all')),
  attempt('journal-plan', 'widen the plan of an unfinished run in the journal', 'journal', 'run/journal-damaged', world => {
    world.put('../project/tek.permits.yaml', 'version: 1\nprograms:\n  a.tek:\n    may:\n      - fs.read("src/**")\n')
    return recorded(world, fails, "update plans set sum = null, json = replace(replace(json, 'src/**', '/**'), 'src/a.ts', '/etc/hostname'); update runs set sum = null, status = 'stopped', summary = replace(summary, '\"failed\"', '\"stopped\"'); delete from events where seq > (select min(seq) from events)", 'resume')
  }),
  attempt('journal-event', 'change what a run has recorded', 'journal', 'run/journal-damaged', world => recorded(world, reads, "update events set sum = null, packed = 'x'", 'show', 'last')),
  attempt('journal-garbage', 'write over the journal', 'journal', 'run/journal-damaged', async world => {
    const { cwd, run } = await project(world, reads)
    world.put('../project/.tek/tek.db', 'not a database, but long enough to be taken for one '.repeat(100))
    expect(cwd).not.toBe('')
    return run('run', 'a.tek', '--allow-all')
  }),
  attempt('audit-edit', 'change an entry of the audit log', 'audit log', 'audit/broken', world =>
    recorded(world, reads, "drop trigger audit_no_update; update audit set body = replace(body, 'src/a.ts', 'src/b.ts')", 'audit', 'verify')),
  attempt('audit-remove', 'take its last entries away', 'audit log', 'audit/broken', world =>
    recorded(world, reads, 'drop trigger audit_no_delete; delete from audit where seq = (select max(seq) from audit)', 'audit', 'verify')),
  {
    id: 'audit-trigger', tries: 'change an entry of the audit log while its triggers are there', by: 'audit log', with: 'append-only',
    async run(world) {
      const found = await recorded(world, reads, "update audit set body = ''", 'audit', 'verify').catch((error: unknown) => String(error))
      world.seal()
      return typeof found === 'string' && found.includes('append-only') ? { by: 'audit log', with: 'append-only' } : { by: 'nothing', with: JSON.stringify(found) }
    },
  },
  attempt('permits-widened', 'write a permit for another program\'s name into the permits', 'permits', 'permit/needed', async world => {
    const { run } = await project(world, reads)
    world.put('../project/tek.permits.yaml', 'version: 1\nprograms:\n  other.tek:\n    may:\n      - fs.read("**")\n')
    return run('run', 'a.tek', '--no-journal')
  }),
  attempt('permits-bad', 'make them unreadable, so that nothing is asked', 'permits', 'permit/bad-file', async world => {
    const { run } = await project(world, reads)
    world.put('../project/tek.permits.yaml', 'version: 1\nprograms: [a.tek\n')
    return run('run', 'a.tek', '--no-journal')
  }),
  attempt('permits-laughs', 'make them grow by aliases', 'permits', 'permit/bad-file', async world => {
    const { run } = await project(world, reads)
    world.put('../project/tek.permits.yaml', `version: 1\na: &a [${'x,'.repeat(9)}x]\nb: &b [${'*a,'.repeat(9)}*a]\nc: &c [${'*b,'.repeat(9)}*b]\nprograms: [${'*c,'.repeat(9)}*c]\n`)
    return run('run', 'a.tek', '--no-journal')
  }),
  attempt('stop-ignored', 'run on although the kill switch is set', 'kill switch', 'run/stop-file', async world => {
    const { run } = await project(world, reads)
    world.put('../project/.tek/STOP', '')
    return run('run', 'a.tek', '--allow-all')
  }),
  attempt('program-is-link', 'have a file that is no text run as a program', 'command line', 'cli/not-utf8', async world => {
    const { cwd, run } = await project(world, reads)
    writeFileSync(join(cwd, 'b.tek'), Buffer.from([0xff, 0xfe, 0x00]))
    return run('run', 'b.tek', '--allow-all')
  }),
]

export const tamperingAttacks: Family = { name: 'What tek keeps', about: 'Plans, journals, the audit log, permits and the kill switch, changed behind its back.', attacks }
