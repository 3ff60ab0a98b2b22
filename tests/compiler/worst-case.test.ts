// The worst case, construct by construct, and the numbers it shares with the engine.
import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import * as engine from '#interpreter/engine/protocol.ts'
import { LEAST_AT_ONCE } from '#compiler/3-check/worst-case/cost.ts'
import { MAX_ATTEMPTS, MAX_BACKOFF_MS, MAX_VERIFY_RUNS } from '#compiler/3-check/worst-case/worst-case.ts'
import { amountText, timeText } from '#compiler/3-check/worst-case/amount-text.ts'
import { lower } from '#compiler/4-lower/lower.ts'
import { priceOf } from '#model/prices.ts'
import type { WorstAmount, WorstCase } from '#model/worst.ts'
import { compileText } from './compile-text.ts'

function worstOf(text: string, others: Record<string, string> = {}, part: 'workflows' | 'agents' | 'loops' = 'workflows', key: string | null = null): WorstCase {
  const compiled = compileText(text, others)
  expect(compiled.diagnostics.filter(each => each.severity === 'error').map(each => each.message)).toEqual([])
  const worst = lower(compiled.program!).worst![part]
  return key === null ? Object.values(worst).at(-1)! : worst[key]!
}

const shown = (amount: WorstAmount): number | string => (amount.kind === 'at-most' ? amount.amount : amount.because)
/** Tasks, attempts, calls of a workflow with these tasks. */
const count = (body: string, head = ''): (number | string)[] => {
  const { tasks, attempts, calls } = worstOf(`${head}workflow w(names: string[], most: int(0..7) = 1, free: int = 1, go: bool = true) -> any {\n  can fs.read("**"), exec("npm", "**")\n${body}\n  return [1]\n}\n`)
  return [tasks, attempts, calls].map(shown)
}

describe('what multiplies', () => {
  it.each([
    ['task a = len(fs.read("x"))', [1, 1, 1]],
    ['task a retry 2 = len(fs.read("x"))', [1, 3, 3]],
    ['task a verify 3 agree 2 = len(fs.read("x"))', [1, 3, 3]],
    ['task a verify 3..10 = len(fs.read("x"))', [1, 10, 10]],
    ['task a retry 4 verify 3..10 = len(fs.read("x"))', [1, 50, 50]],
    ['task a retry 100 verify 50..100 = len(fs.read("x"))', [1, 1_000, 1_000]],
    ['task a for n in [1, 2, 3] retry 1 = len(fs.read("x"))', [3, 6, 6]],
    ['task a for n in range(2, 8, 2) = n', [3, 3, 0]],
    ['task a for n in take(names, 5) = n', [5, 5, 0]],
    ['task a for n in take(names, most) = n', [7, 7, 0]],
    ['task a for n in take([1, 2], 5) = n', [2, 2, 0]],
    ['task a for n in drop([1, 2, 3], 1) = n', [2, 2, 0]],
    ['task a for n in zip(take(names, 3), names) = n', [3, 3, 0]],
    ['task a for n in flatten([[1, 2], [3]]) = n', [3, 3, 0]],
    ['task a for n in flatMap([1, 2], x => [x, x, x]) = n', [6, 6, 0]],
    ['task a for n in keys({ a: 1, b: 2 }) = n', [2, 2, 0]],
    ['task a for n in [x for x in range(4) if x > 1] |> sort = n', [4, 4, 0]],
    ['task a for n in if go then [1] else [1, 2, 3] = n', [3, 3, 0]],
    ['let list = [1, 2]\n  task a for n in list = n\n  task b for n in a = n', [4, 4, 0]],
    ['task a on failure use [1, 2, 3] = take(names, 2) |> map(x => 1)\n  task b for n in a = n', [4, 4, 0]],
    ['task a = if go then len(fs.read("x")) else len(fs.read("y")) + len(fs.read("z"))', [1, 1, 2]],
    ['task a = go and fs.exists("x") or fs.exists("y")', [1, 1, 2]],
    ['task a = match free { 1 => fs.exists("x"), 2 => fs.exists("y") and fs.exists("z"), _ => true }', [1, 1, 2]],
    ['task a = [fs.read("x") for n in take(names, 3) if fs.exists("y")]', [1, 1, 6]],
    ['task a = fs.read("x") |> trim', [1, 1, 1]],
  ])('%s', (body, amounts) => expect(count(`  ${body}`)).toEqual(amounts))

  it('a sub-workflow in a `for` with `retry`, and the calls in its arguments', () => {
    const inner = 'workflow inner(n: int) -> int {\n  can fs.read("**")\n  task a retry 1 = len(fs.read("x"))\n  task b = n + a\n  return b\n}\n'
    expect(count('  task all for n in [1, 2, 3] retry 1 = inner(n: len(fs.read("y")))', inner)).toEqual([12, 18, 18])
  })

  it('a list that another workflow returns', () => {
    expect(count('  task some = pick()\n  task a for n in some = n', 'workflow pick() -> int[] { return [1, 2, 3] }\n')).toEqual([3, 3, 0])
  })

  it('consts of another file', () => {
    const { tasks } = worstOf('use "./lib.tek" (all)\nworkflow w() -> int[] {\n  task a for n in all = n\n  return a\n}\n', { 'lib.tek': 'const most = 4\nconst all = take([1, 2, 3, 4, 5, 6], most)\n' })
    expect(shown(tasks)).toBe(4)
  })
})

describe('what nothing bounds', () => {
  const reason = '`a` runs once for each item, and'
  it.each([
    ['task a for n in names = n', `${reason} \`names\` has as many as whoever runs this gives it`],
    ['task a for n in take(names, free) = n', `${reason} \`names\` has as many as whoever runs this gives it`],
    ['task found = fs.glob("**")\n  task a for n in found = n', `${reason} its list is made when it runs`],
    ['task a for n in range(free) = n', `${reason} only a run knows where this \`range\` ends`],
  ])('%s', (body, because) => expect(count(`  ${body}`)[0]).toBe(because))

  it('a limit bounds it, and what comes of each task with it', () => {
    expect(count('  limits { tasks: 10 }\n  task a for n in names retry 2 = len(fs.read(n ?? ""))'.replace('fs.read(n ?? "")', 'fs.read("x")'))).toEqual([10, 30, 30])
    expect(count('  limits { calls: 10 }\n  task a for n in names retry 2 = len(fs.read("x"))')).toEqual(['`a` runs once for each item, and `names` has as many as whoever runs this gives it', '`a` runs once for each item, and `names` has as many as whoever runs this gives it', 10])
  })

  it('calls in arguments of a sub-workflow belong to no task that a limit counts', () => {
    const inner = 'workflow inner(n: int) -> int { return n }\n'
    expect(count('  limits { tasks: 10 }\n  task a for n in names = inner(n: len(fs.read("x")))', inner)[2]).toContain('runs once for each item')
  })
})

describe('waiting', () => {
  const time = (body: string, more = ''): number | string => shown(worstOf(`workflow w(names: string[]) -> any {\n  can fs.read("**")\n${more}${body}\n  return [1]\n}\n`).timeMs)
  it.each([
    ['  task a timeout 1s = fs.exists("x")', 1_000],
    ['  task a = 1 + 1', 0],
    ['  task a timeout 1s = fs.exists("x")\n  task b after a timeout 2s = fs.exists("y")', 3_000],
    ['  task a timeout 1s = fs.exists("x")\n  task b timeout 2s = fs.exists("y")', 2_000],
    ['  task a retry 3 backoff 1s..3s timeout 1s = fs.exists("x")', 10_000],
    ['  task a for n in range(6) parallel 2 timeout 1s = fs.exists("x")', 3_000],
    // 24 tasks, eight places: the path and a share of all work (Graham).
    ['  task a for n in range(24) timeout 1s = fs.exists("x")', 4_000],
    ['  limits { parallel: 2 }\n  task a for n in range(6) timeout 1s = fs.exists("x")', 4_000],
    ['  limits { time: 1h }\n  task a = fs.exists("x")', 3_600_000],
    ['  task a = fs.exists("x")', '`a` has no `timeout`, and nobody knows how long `fs.exists` takes'],
    ['  task a approve "go?" timeout 1s = fs.exists("x")'.replace('approve "go?" timeout 1s', 'timeout 1s approve "go?"'), '`a` waits for a person to approve'],
  ])('%s', (body, ms) => expect(time(body)).toBe(ms))
})

describe('agents', () => {
  const models = 'model free = openai("m", baseUrl: "http://127.0.0.1:11434/v1")\nmodel own = openai("m", price: { input: $1, output: $3 })\nmodel listed = anthropic("claude-haiku-4-5", maxTokens: 4k)\nmodel dated = anthropic("claude-haiku-4-5-20251001", fallback: own)\nmodel unknown = anthropic("claude-nine")\n'
  const agent = (body: string) => {
    const { modelCalls, tokens, costMicros, calls } = worstOf(`${models}agent x {\n${body}\n}\n`, {}, 'agents')
    return [modelCalls, tokens, costMicros, calls].map(shown)
  }
  it('one turn, and two to mend an answer', () => {
    expect(agent('  model listed')).toEqual([3, 612_000, 3_060_000, 0])
    expect(agent('  model free\n  limits { tokens: 10k }')).toEqual([3, 10_000, 0, 0])
    expect(agent('')).toEqual([0, 0, 0, 0])
    expect(agent('  model free\n  memory run keep 5k summarise')[0]).toBe(4)
  })
  it('prices: the list, the program\'s own, the dearer of a chain, none', () => {
    expect(agent('  model own\n  limits { tokens: 1M }')[2]).toBe(3_000_000)
    expect(agent('  model dated\n  limits { tokens: 1M }')[2]).toBe(5_000_000)
    expect(agent('  model unknown\n  limits { tokens: 1M }')[2]).toContain('nobody has said what the model of `x` costs')
    expect(agent('  model unknown\n  limits { tokens: 1M, cost: $2 }')[2]).toBe(2_000_000)
    expect(agent('  model unknown')[1]).toContain('nobody knows how much its model takes in at once')
  })
  it('tools: as many turns as the limit says, as many calls', () => {
    const tools = '  model free\n  can fs.read("**")\n  tools fs.read\n'
    expect(agent(tools)[0]).toBe('`x` has no `limits { turns }`')
    expect(agent(`${tools}  limits { turns: 5, tokens: 1k, calls: 7 }`)).toEqual([7, 1_000, 0, 7])
    expect(agent(`${tools}  limits { turns: 5 }`)[3]).toBe('`x` may call several tools in a turn, and has no `limits { calls }`')
  })
  const team = (lead: string, more = '') => {
    const led = 'agent led {\n  model own\n  can fs.read("**")\n  tools fs.read\n  limits { turns: 4, tokens: 10k, calls: 3 }\n}\nagent other {\n  model own\n  limits { tokens: 6k }\n}\n'
    const { tasks, attempts, calls, modelCalls, tokens, costMicros } = worstOf(`${models}${led}${more}agent lead leads led, other {\n  model own\n  can fs.read("**"), fs.write("**")\n${lead}\n}\n`, {}, 'agents', 'lead')
    return [tasks, attempts, calls, modelCalls, tokens, costMicros].map(shown)
  }
  it('agents that are led: as often as the lead may call, within its tokens, and their calls within its calls', () => {
    // 5 delegations, each 6 answers of `led`, the larger; 3 calls each, and no more than 5 of all together.
    expect(team('  limits { turns: 5, calls: 5 }').slice(0, 5)).toEqual([5, 5, 5, 7 + 5 * 6, expect.stringContaining('nobody knows how much')])
    expect(team('  limits { turns: 5, calls: 5, tokens: 80k }').slice(4)).toEqual([80_000, 80_000 * 3])
    expect(team('  limits { turns: 5, calls: 100, tokens: 20M, cost: $1 }')).toEqual([100, 100, 100, 7 + 600, 20_000_000, 1_000_000])
    expect(team('  limits { turns: 5 }')[3]).toBe('`lead` may ask its agents as often as it likes, and has no `limits { calls }`')
  })
  it('a vote asks all of them', () => {
    expect(team('  tools team.vote\n  limits { turns: 5, calls: 2, tokens: 1M }').slice(0, 4)).toEqual([2 * 2, 2 * 2, 2, 7 + 2 * (6 + 3)])
  })
  it('a call that a person is asked about is one more, and a task', () => {
    expect(team('  tools fs.write\n  approve fs.write\n  limits { turns: 5, calls: 2, tokens: 1M }').slice(0, 3)).toEqual([2, 2, 4])
  })
  it('a workflow that is a tool makes calls of its own, whatever the agent\'s limit', () => {
    const work = 'workflow work() -> bool {\n  can fs.read("**")\n  task a = fs.exists("a") and fs.exists("b") and fs.exists("c")\n  return a\n}\n'
    expect(team('  tools work\n  limits { turns: 5, calls: 2, tokens: 1M }', work).slice(0, 3)).toEqual([2, 2, 2 + 2 * 3])
  })
  it('a question to the lead costs an answer of the lead, beside what the asking agent may spend', () => {
    const text = `${models}agent a {\n  model listed\n  tools team.askLead\n  limits { turns: 2, calls: 3, tokens: 10k }\n}\nagent lead leads a {\n  model listed\n  limits { turns: 2, calls: 1 }\n}\n`
    const { modelCalls, tokens } = worstOf(text, {}, 'agents', 'a')
    expect([shown(modelCalls), shown(tokens)]).toEqual([4 + 3 * 3, 10_000 + 3 * 612_000])
  })
  it('what is ensured of an answer is looked at again when it was mended', () => {
    const { calls, tasks } = worstOf(`${models}agent x { model free }\nworkflow w() -> string {\n  can fs.read("**")\n  task a by x -> string retry 1 ensure fs.exists("a") ensure fs.exists("b") = prompt "Go."\n  return a\n}\n`)
    expect([shown(calls), shown(tasks)]).toEqual([2 * 3 * 2, 1])
  })
  it('what is ensured of a value counts with it', () => {
    const { calls } = worstOf('workflow w() -> int[] {\n  can fs.read("**")\n  task a for n in [1, 2, 3] verify 2 agree 2 ensure fs.exists("a") = len(fs.read("x"))\n  return a\n}\n')
    expect(shown(calls)).toBe(3 * 2 * 2)
    const flow = worstOf('workflow inner() -> bool {\n  can fs.read("**")\n  task a = fs.exists("x")\n  return a\n}\nworkflow w() -> bool {\n  can fs.read("**")\n  task a ensure fs.exists("b") = inner()\n  return a\n}\n')
    expect(shown(flow.calls)).toBe(2)
  })
  it('a judge answers for each run of a `verify`', () => {
    const { modelCalls } = worstOf(`${models}agent j { model free }\nworkflow w() -> string {\n  can fs.read("**")\n  task a verify 3 agree 2 judge j = fs.read("x")\n  return a\n}\n`)
    expect(shown(modelCalls)).toBe(9)
  })
})

test('a loop: cycles × candidates × runs, and what rewrites itself', () => {
  const text = (head: string, run: string) => `limits { selfModification: true }\nworkflow once() -> bool {\n  task a = true\n  task b = a\n  return b\n}\nloop l${head} {\n  limits { cycles: 4 }\n  differentiate = [1, 2, 3]\n${run}}\n`
  expect(shown(worstOf(text('', '  run verify 2 agree 2 = once()\n'), {}, 'loops').tasks)).toBe(4 * (1 + 3 * 2 * 2))
  expect(shown(worstOf(text(' evolves once', ''), {}, 'loops').tasks)).toBe('`l` rewrites its program')
})

test('the numbers are the engine\'s', () => {
  expect([MAX_ATTEMPTS, MAX_VERIFY_RUNS, MAX_BACKOFF_MS]).toEqual([engine.MAX_ATTEMPTS, engine.MAX_VERIFY_RUNS, engine.MAX_BACKOFF_MS])
  expect(readFileSync(new URL('../../src/interpreter/run.ts', import.meta.url), 'utf8')).toContain(`const LEAST_TASKS_AT_ONCE = ${LEAST_AT_ONCE}\n`)
})

test('a model is known by its whole name', () => {
  expect(priceOf('claude-sonnet-4-5')).toEqual(priceOf('claude-sonnet-4-5-20250929'))
  expect(['claude-sonnet', 'claude-sonnet-4-5-fast', 'claude-haiku-5-5', ''].map(priceOf)).toEqual([null, null, null, null])
})

test('amounts in words', () => {
  expect([0, 999, 1_000, 61_000, 3_600_000, 3_601_000, 7_199_999, 90_000_000].map(timeText)).toEqual(['0s', '999ms', '1s', '1m 1s', '1h', '1h 1m', '2h', '1d 1h'])
  expect([amountText('cost', 1), amountText('cost', 1_234_567), amountText('tokens', 200_000), amountText('tasks', 1), amountText('tasks', 12_345)]).toEqual(['$0.0000', '$1.24', '200k tokens', '1 task', '12,345 tasks'])
  expect([amountText('time', 61_000, 'written'), amountText('time', 3_600_000, 'written'), amountText('tokens', 12.5, 'written')]).toEqual(['61s', '1h', '13'])
})
