// The proof of what is said of teams: random trees of agents that lead, vote, ask back, write to each other and ask a person, compiled and carried out by the engine with
// models that do anything, end by themselves and never do more than their worst case.
import { expect, test } from 'vitest'
import { lower } from '#compiler/4-lower/lower.ts'
import type { Question } from '#interpreter/engine/talks.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import type { WorstAmount } from '#model/worst.ts'
import { says, TalkWorld, uses } from '../engine/talk-world.ts'
import { compileText } from './compile-text.ts'
import { random } from './random-programs.ts'

const TEAMS = 400
/** Questions to a person in one run. */
const MAX_QUESTIONS = 60

/** A program whose `main` asks `a0`, which leads the others, directly or not. */
function drawTeam(next: () => number): string {
  const below = (count: number): number => Math.floor(next() * count)
  const count = 2 + below(4)
  const leads = Array.from({ length: count }, () => [] as string[])
  for (let each = 1; each < count; each++) leads[below(each)]!.push(`a${each}`)
  const agents = leads.map((led, index) => {
    const tools = [...(next() < 0.6 ? ['fs.exists'] : []), ...(led.length > 0 && next() < 0.5 ? ['team.vote'] : []), ...(index > 0 && next() < 0.5 ? ['team.askLead'] : []), ...(next() < 0.4 ? ['team.send', 'team.listen'] : []), ...(next() < 0.3 ? ['team.receive'] : [])]
    const asks = next() < 0.3
    const works = next() < 0.3
    const all = [...tools, ...(asks ? ['fs.write'] : []), ...(works ? ['work'] : [])]
    const memory = next() < 0.3 ? `  memory run keep ${100 + below(900)}${next() < 0.5 ? ' summarise' : ''}\n` : ''
    return `agent a${index}${led.length === 0 ? '' : ` leads ${led.join(', ')}`} {\n  model m\n  can fs.read("**"), fs.write("**")\n${all.length === 0 ? '' : `  tools ${all.join(', ')}\n`}${asks ? '  approve fs.write\n' : ''}`
      + `${memory}  limits { turns: ${1 + below(4)}, calls: ${1 + below(5)} }\n}\n`
  })
  const ensure = next() < 0.3 ? ' ensure len(answer) < 5' : ''
  return `model m = openai("m", baseUrl: "http://127.0.0.1:1/v1")\nworkflow work() -> bool {\n  can fs.read("**")\n  task looked = fs.exists("a")\n  return looked\n}\n${agents.join('')}`
    + `workflow main() -> any {\n  can fs.read("**"), fs.write("**")\n  task first by a0 -> string retry 1${ensure} on failure continue = prompt "Go."\n  task second by a${below(count)} -> string after first on failure continue = prompt "Go."\n  return [first, second]\n}\n`
}

/** Anything a model may do, most of it sensible. */
function answered({ request }: Question, next: () => number): ReturnType<typeof says> {
  const pick = <Each>(list: readonly Each[]): Each => list[Math.floor(next() * list.length)]!
  const inputs: Readonly<Record<string, () => Value>> = {
    fs_exists: () => ({ path: 'a' }), fs_write: () => ({ path: 'a', text: 'b' }), work: () => ({}), team_vote: () => ({ question: 'Which?', options: next() < 0.9 ? ['x', 'y'] : [] }),
    team_askLead: () => ({ question: 'What?' }), team_send: () => ({ to: pick(['a0', 'a1', '#t', 'nobody']), text: 'so' }), team_listen: () => ({ topic: 't' }), team_receive: () => ({}),
  }
  if (request.tools.length > 0 && next() < 0.65) {
    return uses(...Array.from({ length: 1 + Math.floor(next() * 3) }, (): readonly [string, Value] => {
      const { name } = pick(request.tools)
      return next() < 0.05 ? [name, { wrong: 1 }] : [name, inputs[name]?.() ?? { task: 'Do it.' }]
    }))
  }
  return says(request.answer === undefined ? pick(['yes', 'no', 'long enough']) : pick(['{"choice":"x"}', '{"choice":"y"}', '{"choice":"z"}', 'what?']))
}

const most = (amount: WorstAmount): number => (amount.kind === 'at-most' ? amount.amount : Infinity)

test(`${TEAMS} random teams come to an end, and do no more than their worst case`, () => {
  const seen = { delegated: 0, voted: 0, askedLead: 0, askedPerson: 0, wrote: 0, remembered: 0, bounded: 0, deep: 0 }
  for (let seed = 1; seed <= TEAMS; seed++) {
    const next = random(seed * 6_007)
    const text = drawTeam(next)
    const compiled = compileText(text)
    expect(compiled.diagnostics.filter(each => each.severity === 'error').map(each => each.message), text).toEqual([])
    const plan: Plan = { ...lower(compiled.program!), entries: ['main'] }
    const world = new TalkWorld({
      plan, model: question => answered(question, next), body: () => ({ kind: 'value', value: next() < 0.8 ? true : null }),
      draw: count => Math.floor(next() * count), parallel: 1 + Math.floor(next() * 4),
    })
    world.run()
    for (let asked = 0; !world.state.isFinished && asked < MAX_QUESTIONS; asked++) {
      const [task] = [...world.state.waits.keys()]
      if (task === undefined) break
      seen.askedPerson++
      world.answer({ kind: 'answered', atMs: 1e6 + asked, task, attempt: world.state.tasks.attempt[task]!, verdict: next() < 0.6 ? 'approved' : 'refused', by: 'ann' })
      world.run()
    }
    const { events, state } = world
    expect(state.isFinished, `seed ${seed}: it has no end\n${text}`).toBe(true)
    const of = <Kind extends RunEvent['kind']>(kind: Kind) => events.filter((each): each is Extract<RunEvent, { kind: Kind }> => each.kind === kind)
    const worst = plan.worst!.workflows['main']!
    const calls = of('call-started')
    expect(of('model-asked').length, `seed ${seed}: answers\n${text}`).toBeLessThanOrEqual(most(worst.modelCalls))
    expect(calls.length, `seed ${seed}: calls\n${text}`).toBeLessThanOrEqual(most(worst.calls))
    const leaves = new Set([...of('model-asked').map(each => each.task), ...of('evaluated').flatMap(each => (each.part === 'body' ? [each.task] : []))])
    expect(leaves.size, `seed ${seed}: tasks\n${text}`).toBeLessThanOrEqual(most(worst.tasks))
    if (calls.some(each => /^a\d$/.test(each.name))) seen.delegated++
    if (calls.some(each => each.name === 'team_vote')) seen.voted++
    if (calls.some(each => each.name === 'team_askLead')) seen.askedLead++
    if (calls.some(each => each.name === 'team_send')) seen.wrote++
    if (text.includes('summarise')) seen.remembered++
    if (worst.modelCalls.kind === 'at-most') seen.bounded++
    if (world.asked.some(each => each.split('/').length > 4)) seen.deep++
  }
  for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(TEAMS / 50)
}, 600_000)
