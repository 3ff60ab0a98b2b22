// Driver: branches, limits, clocks, rests, one process a loop, and ten thousand cycles.
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { newLeaseOf } from '#loops/loop-lease.ts'
import { recordedLoop, rollBack, stopLoop } from '#loops/loop-records.ts'
import { ask, fork, run, check, plan, resume } from '#tek.ts'
import { calm, LoopWorld, loopWorlds } from './loop-world.ts'

const world = loopWorlds()
const says = (of: LoopWorld) => of.kept((store, key) => store.past(key, 100).map(each => each.end!.says).reverse())
const decisions = (of: LoopWorld) => of.kept((store, key) => store.decisions(key, 100).reverse().map(each => `${each.cycle} ${each.stage} ${each.outcome}: ${each.rationale}`))

const same = (body: string) => `
workflow work(n: int) -> { passed: bool, n: int } {
  return { passed: true, n: n }
}

loop steady {
  limits { cycles: 3 }
  ${body}
}
`

describe('branches', () => {
  test('replicate runs the champion as often as it says, within `copies`', async () => {
    const of = world(same('decide = replicate(5, because: "more work")\n  run = work(1)\n  score = 0.5\n  promote when champion.version == 0 do note("first")').replace('cycles: 3', 'cycles: 3, copies: 2'))
    await of.drive()
    const counts = await of.kept((store, key, journal) => store.past(key, 5).map(({ runId }) => [...journal.openRun(runId)!.log.events()].filter(each => each.kind === 'call-started' && each.name === '@loop.ran').length))
    expect(counts).toEqual([2, 2, 2])
    expect(await says(of)).toEqual(['promoted version 1, score 0.5', 'a tie keeps the champion, score 0.5', 'a tie keeps the champion, score 0.5'])
  })

  test('what differs in nothing from the champion is no candidate', async () => {
    const of = world(same('differentiate = { a: 1, b: [1, 2] }\n  run verify 3 agree 3 = work(1)\n  score = 0.5'))
    await of.drive()
    expect(await says(of)).toEqual(['promoted version 1, score 0.5', 'nothing differs from the champion', 'nothing differs from the champion'])
  })

  test('quiesce begins nothing until the resource is back', async () => {
    const of = world(same('differentiate = cycle\n  run verify 3 agree 3 = work(1)\n  score = 0.1 * float(cycle)'))
    of.usage = { ...calm, disk: 0.99 }
    let looks = 0
    const host = of.host()
    const { events } = await of.drive({ host: { ...host, sleep: async () => {}, monotonic: () => (looks += 3_000), usage: async () => {
      if (looks > 60_000) of.usage = calm
      return of.usage
    } } })
    expect(events.filter(each => each.kind === 'rests').length).toBe(1)
    expect((await says(of))[0]).toBe('rests: the disk is 99 % full, and 95 % is the limit')
    expect((await says(of)).slice(1)).toEqual(['promoted version 1, score 0.2', 'promoted version 2, score 0.3'])
    expect((await decisions(of))[0]).toBe('1 decide deferred: quiesce: the disk is 99 % full, and 95 % is the limit')
  })

  test('escalate waits without a process until a person answers', async () => {
    const of = world(same('decide = if cycle == 2 then escalate("Go on with ${cycle}?") else differentiate(cycle)\n  differentiate = cycle\n  run verify 3 agree 3 = work(1)\n  score = 0.1 * float(cycle)'))
    const first = await of.drive()
    expect(first.standing).toMatchObject({ kind: 'waits', cycles: 2, champion: { version: 1 } })
    const runId = first.standing!.open!.runId
    expect((await of.drive()).standing).toMatchObject({ kind: 'waits', cycles: 2 }) // nobody answered
    await ask(of.host(), of.database, runId, { kind: 'answer', task: 'escalate', verdict: 'approved', by: 'anna' })
    expect((await of.drive()).standing).toMatchObject({ kind: 'ended', cycles: 3, champion: { version: 3 } })
    expect(await decisions(of)).toContain('2 decide escalated: escalate: Go on with 2?')
    expect(await decisions(of)).toContain('2 decide approved: answered by a person')
  })

  test('a person who says no ends the cycle, and nothing is tried', async () => {
    const of = world(same('decide = escalate("Go on?", confidence: 0.2)\n  differentiate = cycle\n  run = work(1)\n  score = 0.5').replace('cycles: 3', 'cycles: 1').replace(', confidence: 0.2', ''))
    const { standing } = await of.drive()
    await ask(of.host(), of.database, standing!.open!.runId, { kind: 'answer', task: 'escalate', verdict: 'refused', by: 'anna' })
    await of.drive()
    expect(await says(of)).toEqual(['a person said no'])
  })
})

describe('judging', () => {
  test('three runs that do not agree are no pass, and are named', async () => {
    const of = world(`
loop flaky {
  limits { cycles: 1 }
  differentiate = 1
  run verify 3 agree 3 = random.int(1, 1_000_000_000)
  score = if run.passed then 1.0 else 0.0
}
`)
    await of.drive()
    const [said] = await says(of)
    expect(said).toMatch(/^rolled back, score 0: run 1: \d+\nrun 2: \d+$/) // a third could not make three agree
    expect(await of.kept((store, key) => store.champion(key))).toBe(null)
  })

  test('where nobody says when to promote, it takes three runs that agree', async () => {
    const of = world(same('differentiate = cycle\n  run = work(1)\n  score = 0.9'))
    await of.drive()
    expect(new Set(await says(of))).toEqual(new Set(['kept the champion, score 0.9']))
  })

  test('a score that fails counts as none, and one beyond 1 fails the cycle', async () => {
    const fails = world(same('differentiate = cycle\n  run verify 3 agree 3 = work(1)\n  score = 1.0 / float(cycle - cycle)'))
    await fails.drive()
    expect(new Set(await says(fails))).toEqual(new Set(['a tie keeps the champion, score 0']))
    const beyond = world(same('differentiate = cycle\n  run verify 3 agree 3 = work(1)\n  score = 17.0'))
    const { standing } = await beyond.drive()
    expect(standing?.because?.code).toBe('loop/too-many-errors')
    expect((await says(beyond))[0]).toContain('loop/bad-value')
  })

  test('rollback beats promote', async () => {
    const of = world(same('differentiate = cycle\n  run verify 3 agree 3 = work(1)\n  score = 0.9\n  promote when true do note("p")\n  rollback when true do note("r")'))
    await of.drive()
    expect(new Set(await says(of))).toEqual(new Set(['rolled back, score 0.9']))
  })
})

describe('ends', () => {
  test('at its cycles, and begun again it is another series with the same champion', async () => {
    const of = world(same('differentiate = cycle\n  run verify 3 agree 3 = work(1)\n  score = 0.1 * float(cycle)'))
    expect((await of.drive()).standing).toMatchObject({ kind: 'ended', cycles: 3, because: null, says: 'its 3 cycles are done', champion: { version: 3 } })
    expect((await of.drive()).standing).toMatchObject({ kind: 'ended', cycles: 3, champion: { version: 6, candidate: 6 } })
  })

  test('after too many failed cycles in a row', async () => {
    const of = world('loop broken {\n  can fs.read("none.txt")\n  limits { cycles: 50, errors: 2 }\n  sense = { text: fs.read("none.txt") }\n  run = 1\n}\n')
    const { standing } = await of.drive()
    expect(standing).toMatchObject({ kind: 'ended', cycles: 2, because: { code: 'loop/too-many-errors' } })
    expect((await decisions(of))[0]).toContain('1 sense rejected: failed: fs/not-found')
  })

  test('at its limit of tasks, counted over all cycles; its own work counts for nothing', async () => {
    const of = world(same('differentiate = cycle\n  run verify 3 agree 3 = work(1)\n  score = 0.1').replace('cycles: 3', 'cycles: 50, calls: 4').replace('run verify 3 agree 3 = work(1)', 'run = fs.exists("a")').replace('limits', 'can fs.read("**")\n  limits'))
    const { standing } = await of.drive()
    expect(standing).toMatchObject({ kind: 'ended', cycles: 4, because: { code: 'loop/limit-reached' } })
  })

  test('by a kill switch, between two cycles', async () => {
    const of = world(same('differentiate = cycle\n  run verify 3 agree 3 = work(1)\n  score = 0.1 * float(cycle)'))
    const { standing } = await of.drive({ onLoop: event => {
      if (event.kind === 'cycle-ended' && event.cycle === 2) writeFileSync(join(of.folder, '.tek', 'STOP'), '')
    } })
    expect(standing).toMatchObject({ kind: 'stopped', cycles: 2 })
  })

  test('by `tek stop LOOP`, and by its signal', async () => {
    const of = world(same('differentiate = cycle\n  run verify 3 agree 3 = work(1)\n  score = 0.1 * float(cycle)'))
    let asked: Promise<unknown> = Promise.resolve()
    const host = of.host()
    await of.drive({ host, onLoop: event => {
      if (event.kind === 'cycle-ended' && event.cycle === 1) asked = stopLoop(host, of.database, 'steady')
    } })
    await asked
    const abort = new AbortController()
    abort.abort('interrupt')
    expect((await of.drive({ signal: abort.signal })).standing).toMatchObject({ kind: 'stopped' })
  })
})

describe('clocks', () => {
  const every = (missed: string) => same(`every 10m${missed}\n  differentiate = cycle\n  run verify 3 agree 3 = work(1)\n  score = 0.1 * float(cycle)`)
  /** A clock that a test moves: resting moves it on. */
  const clocked = (of: LoopWorld, startMs: number, untilMs: number) => {
    const at = { nowMs: startMs }
    const abort = new AbortController()
    const host = { ...of.host(), now: () => at.nowMs, sleep: async (ms: number) => {
      at.nowMs += Math.max(ms, 1_000)
      if (at.nowMs > untilMs) abort.abort('terminate')
    } }
    return { host, signal: abort.signal, at }
  }
  const MINUTE = 60_000
  const start = Date.UTC(2026, 0, 1, 12, 3)

  test('the first cycle begins at once, each further one at the next tick', async () => {
    const of = world(every(''))
    const { events } = await of.drive(clocked(of, start, start + 60 * MINUTE))
    const began = await of.kept((store, key) => store.past(key, 5).map(each => each.atMs).reverse())
    expect(events.filter(each => each.kind === 'cycle-ended').length).toBe(3)
    expect(began.map(each => new Date(each).toISOString().slice(11, 16))).toEqual(['12:03', '12:10', '12:20'])
  })

  test.each([['', ['12:03', '15:05', '15:10']], [' missed skip', ['12:03', '15:10', '15:20']]])('ticks that passed while nobody drove it: `every 10m%s`', async (missed, times) => {
    const of = world(every(missed))
    await of.drive(clocked(of, start, start + 2 * MINUTE))
    await of.drive(clocked(of, Date.UTC(2026, 0, 1, 15, 5), Date.UTC(2026, 0, 1, 16)))
    const began = await of.kept((store, key) => store.past(key, 5).map(each => each.atMs).reverse())
    expect(began.map(each => new Date(each).toISOString().slice(11, 16))).toEqual(times)
  })
})

describe('one at a time', () => {
  test('a loop that another process drives is refused', async () => {
    const of = world(same('differentiate = cycle\n  run = work(1)\n  score = 0.1'))
    await of.drive()
    const journal = await sqliteJournal(of.database)
    const host = of.host()
    journal.loops!.take({ key: 'main.tek steady', program: 'main.tek', name: 'steady' }, newLeaseOf(host), () => true)
    journal.close()
    expect((await of.drive({ host: { ...of.host(), isAlive: () => true } })).codes).toEqual(['loop/being-driven'])
  })

  test('who lost the loop records nothing more', async () => {
    const of = world(same('differentiate = cycle\n  run = work(1)\n  score = 0.1'))
    const host = of.host()
    const { codes } = await of.drive({ host, onLoop: event => {
      if (event.kind !== 'cycle-began') return
      void sqliteJournal(of.database).then(journal => {
        journal.loops!.take({ key: 'main.tek steady', program: 'main.tek', name: 'steady' }, newLeaseOf(of.host()), () => false)
        journal.close()
      })
    } })
    expect(codes).toEqual(['loop/taken-over'])
  })

  test('a cycle that somebody begins, forks or resumes outside of its loop changes no champion', async () => {
    const of = world(same('differentiate = cycle\n  run verify 3 agree 3 = work(1)\n  score = 0.1 * float(cycle)'))
    await of.drive()
    const host = of.host()
    const checked = await check(host, 'main.tek')
    const made = plan(checked)
    const begun = await run(host, { plan: made, program: 'main.tek', workflow: '@cycle:steady', args: { cycle: 9, champion: { candidate: null, score: 0, version: 0 }, past: [] }, database: of.database, tekVersion: '0', onNotice: () => {} })
    expect(begun).toMatchObject({ value: { outcome: { failure: { code: 'loop/not-driven' } } } })
    const first = await of.kept((store, key) => store.past(key, 5)[0]!.runId)
    const forked = await fork(host, of.database, first, 'decide')
    if (forked.kind === 'answer') {
      const again = await resume(host, { runId: (forked.value as unknown as { runId: string }).runId, database: of.database, tekVersion: '0', onNotice: () => {} })
      expect(again).toMatchObject({ value: { outcome: { failure: { code: 'loop/not-driven' } } } })
    }
    expect(await of.kept((store, key) => store.champion(key)?.version)).toBe(3)
  })
})

describe('going back', () => {
  const copies = `
workflow build(n: int) -> bool {
  can fs.write("site/**")
  task page = fs.write("site/v.txt", "version \${n}")
  return true
}
loop better over copy("site") {
  can fs.read("site/**"), fs.write("site/**")
  limits { cycles: 3 }
  differentiate = cycle
  run verify 3 agree 3 = build(candidate)
  score = 0.1 * float(cycle)
}
`
  test('to any version, with its files; what is left can be gone back to', async () => {
    const { readFileSync } = await import('node:fs')
    const of = world(copies, { 'site/v.txt': 'version 0' })
    const page = () => readFileSync(join(of.folder, 'site/v.txt'), 'utf8')
    await of.drive()
    expect(page()).toBe('version 3')
    const back = (version: number | null) => rollBack(of.host(), of.database, 'better', version, 'anna', false)
    expect(await back(null)).toMatchObject({ value: { from: 3, to: 2 } })
    expect(page()).toBe('version 2')
    expect(await back(3)).toMatchObject({ value: { from: 2, to: 3 } })
    expect(page()).toBe('version 3')
    expect(await back(0)).toMatchObject({ value: { from: 3, to: 0 } })
    expect(page()).toBe('version 0')
    expect(await back(9)).toMatchObject({ diagnostics: [{ code: 'loop/unknown-version' }] })
    expect(await recordedLoop(of.host(), of.database, 'worse')).toMatchObject({ diagnostics: [{ code: 'loop/unknown-loop' }] })
    const loop = await recordedLoop(of.host(), of.database, 'main.tek:better')
    expect(loop).toMatchObject({ value: { champion: { version: 0 }, decisions: [{ stage: 'rollback', by: 'anna', rationale: 'version 3 to version 0' }, {}, {}, {}, {}, {}, {}, {}, {}] } })
    writeFileSync(join(of.folder, 'site/v.txt'), 'edited')
    expect(await back(1)).toMatchObject({ diagnostics: [{ code: 'loop/champion-changed' }] })
  })

  test('killed between the files and the record, it is asked for again and ends the same', async () => {
    const { existsSync: exists, readFileSync, renameSync, mkdirSync } = await import('node:fs')
    const of = world(copies, { 'site/v.txt': 'version 0' })
    await of.drive()
    const slug = (await import('node:fs')).readdirSync(join(of.folder, '.tek/versions'))[0]!
    // As a kill leaves it: the folders are exchanged, the record still says version 3.
    const staged = join(of.folder, '.tek/work', slug, 'restore-2')
    mkdirSync(staged, { recursive: true })
    renameSync(join(of.folder, 'site'), join(staged, 'site'))
    renameSync(join(of.folder, '.tek/versions', slug, '2'), join(of.folder, 'site'))
    expect(await rollBack(of.host(), of.database, 'better', 2, 'anna', false)).toMatchObject({ value: { from: 3, to: 2 } })
    expect(readFileSync(join(of.folder, 'site/v.txt'), 'utf8')).toBe('version 2')
    expect(readFileSync(join(of.folder, '.tek/versions', slug, '3/v.txt'), 'utf8')).toBe('version 3')
    expect(exists(staged)).toBe(false)
  })

  test('a name that two programs have needs the program as well', async () => {
    const of = world(same('differentiate = cycle\n  run = work(1)\n  score = 0.1'))
    await of.drive()
    await of.drive({ program: 'other.tek' })
    expect(await recordedLoop(of.host(), of.database, 'steady')).toMatchObject({ diagnostics: [{ code: 'loop/several-loops' }] })
    expect(await recordedLoop(of.host(), of.database, 'other.tek:steady')).toMatchObject({ value: { row: { program: 'other.tek' } } })
  })

  test('not while a cycle is open', async () => {
    const of = world(same('decide = escalate("Go on?")\n  run = work(1)\n  score = 0.5'))
    await of.drive()
    expect(await rollBack(of.host(), of.database, 'steady', 0, 'anna', false)).toMatchObject({ diagnostics: [{ code: 'loop/cycle-open' }] })
  })
})

describe('for long', () => {
  const cycles = process.env['TEK_SIMULATE'] === 'full' ? 10_000 : 400
  test(`${cycles} cycles: the journal keeps what it says, and no more`, async () => {
    const of = world(same(`differentiate = cycle\n  run = work(1)\n  score = if cycle % 100 == 0 then float(cycle) / ${cycles}.0 else 0.0\n  promote when score > champion.score do note("x")\n  rollback when not run.passed do note("y")`.replace('cycle % 100', 'mod(cycle, 100)')).replace('cycles: 3', `cycles: ${cycles}`))
    const seen: { readonly cycle: number; readonly bytes: number; readonly heap: number }[] = []
    const { standing } = await of.drive({ keepRuns: 20, onLoop: event => {
      if (event.kind !== 'cycle-ended' || event.cycle % 100 !== 0) return
      globalThis.gc?.()
      seen.push({ cycle: event.cycle, bytes: statSync(of.database).size, heap: process.memoryUsage().heapUsed })
    } })
    expect(standing).toMatchObject({ kind: 'ended', cycles })
    const kept = await of.kept((store, key, journal) => ({ runs: journal.listRuns(100_000).length, cycles: store.past(key, 100_000).length, versions: store.versions(key, 1_000).length }))
    expect(kept.versions).toBe(cycles / 100)
    expect(kept.runs).toBeLessThanOrEqual(20 + 50 + cycles / 100)
    expect(kept.cycles).toBeLessThanOrEqual(1_000 + 50 + cycles / 100)
    if (process.env['TEK_SIMULATE'] === 'full') console.log(JSON.stringify(seen.filter((_, index) => index % 10 === 0)))
    expect(existsSync(of.database)).toBe(true)
  }, 1_200_000)
})
