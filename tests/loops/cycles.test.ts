// Cycles: a loop of values goes through its stages, promotes, rolls back, ends, and does so again when it is killed anywhere.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { LoopCycle, LoopDecision, LoopStore, LoopVersion } from '#interpreter/journal/loops.ts'
import { showRun } from '#tek.ts'
import { loopWorlds, watchedJournal } from './loop-world.ts'

const world = loopWorlds()

/** Best at 7, broken at 4. */
const climb = `
workflow judge(n: int) -> { passed: bool, value: float } {
  return { passed: n != 4, value: 1.0 - float(abs(n - 7)) / 10.0 }
}

loop climb {
  can fs.write("log/**")
  limits { cycles: 8 }
  stop when champion.score >= 1.0
  decide = differentiate(champion.candidate ?? 1, because: "a step on", confidence: 0.8)
  differentiate -> int[] = [decide + 1, decide + 3]
  gate "small" = candidate < 20
  run verify 3 agree 3 = judge(candidate)
  score = if run.passed then run.value.value else 0.0
  promote when score > champion.score do note("now \${candidate}"), fs.append("log/promoted.txt", "\${candidate}\\n")
  rollback when not run.passed do note("bad \${candidate}")
}
`

const bare = (versions: readonly LoopVersion[]) => versions.map(({ version, parent, cycle, candidate, score }) => ({ version, parent, cycle, candidate, score }))
const said = (cycles: readonly LoopCycle[]) => cycles.map(({ cycle, end }) => ({ cycle, says: end?.says, promoted: end?.promoted }))
const decided = (decisions: readonly LoopDecision[]) => decisions.map(({ cycle, stage, outcome, rationale, confidence }) => ({ cycle, stage, outcome, rationale, confidence }))

const allOf = (store: LoopStore, key: string) => ({ versions: bare(store.versions(key, 10)), cycles: said(store.past(key, 10)), decisions: decided(store.decisions(key, 100)) })

describe('a loop of values', () => {
  test('climbs to the best and stops', async () => {
    const of = world(climb)
    const { standing } = await of.drive()
    expect(standing).toMatchObject({ kind: 'ended', cycles: 5, because: null, champion: { version: 4, score: 1, candidate: 7 } })
    const kept = await of.kept(allOf)
    expect(kept.versions.map(({ version, parent, cycle, candidate, score }) => [version, parent, cycle, candidate, score])).toEqual([[4, 3, 4, 7, 1], [3, 2, 3, 6, 0.9], [2, 1, 2, 5, 0.8], [1, 0, 1, 2, 0.5]])
    expect(kept.cycles[0]).toEqual({ cycle: 5, says: 'stopped: `stop when` holds', promoted: null })
    expect(kept.decisions.at(-1)).toEqual({ cycle: 1, stage: 'decide', outcome: 'approved', rationale: 'differentiate: a step on', confidence: 0.8 })
    expect(readFileSync(join(of.folder, 'log/promoted.txt'), 'utf8')).toBe('2\n5\n6\n7\n')
  })

  test('the stages of a cycle, one by one, in their order', async () => {
    const of = world(climb)
    await of.drive({ signal: AbortSignal.timeout(60_000) })
    const first = await of.kept((store, key) => store.past(key, 10).at(-1)!)
    const answer = await showRun(of.database, first.runId)
    const report = answer.kind === 'answer' ? answer.value : null
    const candidate = ['gates', 'workspace', 'run', 'ran', 'observe', 'score']
    expect(report!.tasks.map(task => `${task.status} ${task.path}`)).toEqual([
      'done health', 'done stop', 'done decide', 'done decision', 'skipped escalate', 'done branch', 'skipped quiesce', 'skipped replicate', 'done differentiate', 'done changes', 'done candidates',
      'done best', 'done vary', 'done judge', 'done promote', 'skipped rollback', 'done promoteDo', 'skipped rollbackDo', 'done candidates[0]', 'done candidates[1]',
      ...[0, 1].flatMap(index => candidate.map(stage => `done candidates[${index}]/${stage}`)), 'done promoteDo/workspace', 'done promoteDo/action1', 'done promoteDo/action2',
    ])
    const calls = await of.kept((_store, _key, journal) => [...journal.openRun(first.runId)!.log.events()].flatMap(event => (event.kind === 'call-started' ? [event.name] : [])))
    expect(calls).toEqual([
      '@loop.health', '@loop.decision', '@loop.candidates', '@loop.gates', '@loop.ran', '@loop.observed', '@loop.gates', '@loop.ran', '@loop.observed', '@loop.best', '@loop.promote', '@loop.note', 'fs.append',
    ])
  })
})

describe('killed', () => {
  test('after any write, it ends as it would have', async () => {
    const of = world(climb)
    mkdirSync(join(of.folder, '.tek'))
    const watched = await watchedJournal(of.database)
    await of.drive({ journal: watched.journal })
    const { snapshots } = watched
    watched.close()
    const expected = await of.kept(allOf)
    expect(snapshots.length).toBeGreaterThan(40)
    for (const [index, snapshot] of snapshots.entries()) {
      const again = world(climb)
      mkdirSync(join(again.folder, '.tek'))
      writeFileSync(again.database, snapshot)
      const { standing, codes } = await again.drive({ loop: 'climb' })
      const found = await again.kept(allOf)
      const when = `killed after write ${index + 1} of ${snapshots.length}: ${codes.join()}`
      if (standing?.cycles === 5) expect(found, when).toEqual(expected)
      else expect(found.versions, when).toEqual(expected.versions) // it had ended, and began another series
      again.remove()
    }
  }, 300_000)
})
