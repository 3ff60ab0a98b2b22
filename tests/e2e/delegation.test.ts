// Delegation through the command line: the real program, the real library of a provider, a server of its protocol on this machine that answers by who asks.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import type { ChatBlock } from '#model/chat.ts'
import type { RunEvent } from '#model/event.ts'
import type { RunReport } from '#model/report.ts'
import { anthropicProtocol } from '../models/anthropic-protocol.ts'
import { type ProtocolServer, type Script, type SeenRequest, serveProtocol } from '../models/protocol-server.ts'
import { problemsOf, validator } from '../history/schemas.ts'
import { type Ended, project, startTek, tek } from './binary.ts'

let claude: ProtocolServer
let folder: ReturnType<typeof project>
/** What a request is answered with; null: as the conversation goes on. */
let instead: (who: string, turn: number, request: SeenRequest) => Script | null = () => null

beforeAll(async () => {
  claude = await serveProtocol(anthropicProtocol, answerTo)
  folder = project({ 'notes/sky.md': 'The sky is blue.\n' })
  folder.write('research.tek', program())
})
afterEach(async () => {
  await tek(['stop', '--all'], { cwd: folder.path })
  rmSync(join(folder.path, '.tek'), { recursive: true, force: true })
  for (const each of ['out', 'ev', 'report.html']) rmSync(join(folder.path, each), { recursive: true, force: true })
  claude.seen.length = 0
  instead = () => null
})
afterAll(async () => {
  await claude.close()
  folder.remove()
})

const program = (): string => `
secret modelKey = env("MODEL_KEY")
model smart = anthropic("claude-of-here", baseUrl: "${claude.url}", key: modelKey, price: { input: $3, output: $15 }, maxTokens: 1k)

/// Finds things in notes.
agent finder {
  model smart
  role "You are finder."
  can fs.read("notes/**")
  tools fs.read, team.send, team.askLead
}

/// Doubts what was found, and writes it down.
agent sceptic {
  model smart
  role "You are sceptic."
  can fs.read("notes/**"), fs.write("out/**")
  tools fs.write, team.receive
  approve fs.write
}

/// Leads.
agent editor leads finder, sceptic {
  model smart
  role "You are editor."
  can fs.read("notes/**"), fs.write("out/**")
  tools team.vote
}

workflow research(question: string) -> string {
  can fs.read("notes/**"), fs.write("out/**"), env("MODEL_KEY")
  task answer by editor -> string = prompt "\${question}"
  return answer
}
`

const says = (text: string): Script => ({ kind: 'reply', content: [{ kind: 'text', text }], stop: 'done', usage: { input: 100, output: 20 } })
const calls = (...all: readonly (readonly [name: string, input: ChatBlock extends infer _ ? Record<string, unknown> : never])[]): Script =>
  ({ kind: 'reply', content: all.map(([name, input], at) => ({ kind: 'tool-use', id: `call_${at}`, name, input: input as never })), stop: 'tool-use', usage: { input: 100, output: 20 } })
const whoAsks = ({ body }: SeenRequest): string => /You are (\w+)\./.exec(JSON.stringify(body['system']))?.[1] ?? ''
const messagesOf = ({ body }: SeenRequest): string => JSON.stringify(body['messages'])

/** A question to the lead, beside its own conversation. */
const isLeadAsked = (request: SeenRequest): boolean => whoAsks(request) === 'editor' && (request.body['tool_choice'] as { type?: string } | undefined)?.type === 'none'

function answerTo(request: SeenRequest): Script {
  const who = whoAsks(request)
  const messages = messagesOf(request)
  const turn = messages.split('"role":"assistant"').length
  const other = instead(who, turn, request)
  if (other !== null) return other
  if (JSON.stringify((request.body['messages'] as unknown[])[0]).includes('is it so?')) return says('{"choice":"yes"}')
  if (isLeadAsked(request)) return says('The one above.')
  if (who === 'editor') return turn === 1 ? calls(['finder', { task: 'find' }], ['sceptic', { task: 'doubt' }]) : turn === 2 ? calls(['team_vote', { question: 'is it so?', options: ['yes', 'no'] }]) : says(`Blue: ${/winner[^}]*yes/.exec(messages) === null ? 'nobody' : 'all'} agreed.`)
  if (who === 'finder') return turn === 1 ? calls(['fs_read', { path: 'notes/sky.md' }], ['team_askLead', { question: 'which sky?' }]) : turn === 2 ? calls(['team_send', { to: 'sceptic', text: 'it is blue' }]) : says('It is blue.')
  return turn === 1 ? calls(['team_receive', {}]) : turn === 2 ? calls(['fs_write', { path: 'out/doubt.md', text: 'None.' }]) : says(`Nothing against it${messages.includes('run/refused-by-person') ? ', but I may not write' : ''}.`)
}

const TURNS = 12
const env = { MODEL_KEY: 'sk-of-here' }
const run = (words: readonly string[]): Promise<Ended> => tek(words, { cwd: folder.path, env })

async function recorded(): Promise<{ readonly runId: string; readonly events: readonly RunEvent[] }> {
  const journal = await sqliteJournal(join(folder.path, '.tek', 'tek.db'))
  try {
    const [newest] = journal.listRuns()
    return newest === undefined ? { runId: '', events: [] } : { runId: newest.runId, events: [...journal.openRun(newest.runId)!.log.events()] }
  } finally {
    journal.close()
  }
}

const answersIn = (events: readonly RunEvent[]): number => events.filter(each => each.kind === 'model-answered').length

async function see(isSo: () => boolean): Promise<void> {
  for (let look = 0; look < 3_000 && !isSo(); look++) await new Promise(resolve => setTimeout(resolve, 20))
  expect(isSo()).toBe(true)
}

test('a lead with two agents: they ask, tell each other, and vote; the record tells who did what', async () => {
  const { code, out, err } = await run(['run', 'research.tek', '--question', 'Which colour?', '--yes'])
  expect([code, out.trim(), err]).toEqual([0, 'Blue: all agreed.', expect.not.stringContaining('error')])
  expect(claude.seen).toHaveLength(TURNS)
  const asked = claude.seen.find(isLeadAsked)!
  expect(messagesOf(asked)).toContain('which sky?')
  expect(messagesOf(asked)).toContain('Which colour?') // it knows what was said in the lead's conversation
  const { out: shown } = await run(['show', 'last'])
  expect(shown).toMatch(/answer .* 3 turns, 360 tokens, \$0\.0018/)
  expect(shown).toMatch(/├ finder .* 3 turns, 360 tokens/)
  expect(shown).toMatch(/│ └ asked editor .* 1 turn/)
  expect(shown).toMatch(/├ sceptic .* 3 turns/)
  expect(shown).toMatch(/│ └ fs_write \(asks a person\)/)
  expect(shown).toMatch(/└ team_vote/)
  expect(shown).toMatch(/agents\n.*(editor|sceptic|finder) .*conversations · \d+ turns/)
  const report = JSON.parse((await run(['show', 'last', '--json'])).out) as RunReport
  expect(report.tasks.map(each => [each.path, each.agent, each.tools?.map(tool => tool.name)])).toEqual(expect.arrayContaining([
    ['answer', 'editor', ['finder', 'sceptic', 'team_vote']], ['answer/0.finder/finder', 'finder', ['fs.read', 'team_askLead', 'team_send']], ['answer/1.sceptic/sceptic', 'sceptic', ['team_receive', 'fs_write']],
  ]))
  expect(report.tasks.reduce((sum, each) => sum + (each.usage?.turns ?? 0), 0)).toBe(TURNS)
  expect(report.tasks.reduce((sum, each) => sum + (each.usage?.costMicros ?? 0), 0)).toBe(report.summary.usage!.costMicros)
  expect((await run(['show', 'last', '--out', 'ev', '--tasks', 'all'])).code).toBe(0)
  expect((await run(['show', 'last', '--html', 'report.html'])).code).toBe(0)
  const ofTask = validator('task')
  const files = readdirSync(join(folder.path, 'ev', 'tasks'))
  expect(files.length).toBe(report.tasks.length)
  for (const file of files) expect(problemsOf(ofTask, JSON.parse(readFileSync(join(folder.path, 'ev', 'tasks', file), 'utf8')))).toEqual([])
  expect(readFileSync(join(folder.path, 'report.html'), 'utf8')).toMatch(/>Agents<[\s\S]*asked editor/)
  expect((await run(['replay', 'last'])).out).toMatch(/the same|nothing differs|fine|no difference/i)
  expect((await run(['graph', 'last'])).out).toContain('finder')
})

describe('kill -9', () => {
  test('in every turn: each turn that was recorded is asked once, and the result is the same', { timeout: 300_000 }, async () => {
    let kills = 0
    for (let at = 1; at <= TURNS; at++) {
      claude.seen.length = 0
      let hanging = false
      instead = () => (claude.seen.length === at && !hanging ? ((hanging = true), { kind: 'hang', content: [{ kind: 'text', text: 'x' }], pieces: at % 3 }) : null)
      const { child, ended } = startTek(['run', 'research.tek', '--question', 'Which colour?', '--yes'], { cwd: folder.path, env })
      await see(() => hanging)
      child.kill('SIGKILL')
      await ended
      kills++
      const before = answersIn((await recorded()).events)
      const asked = claude.seen.length
      instead = () => null
      const { code, out } = await run(['resume', '--yes'])
      expect([code, out.trim()]).toEqual([0, 'Blue: all agreed.'])
      expect(claude.seen.length - asked).toBe(TURNS - before)
      expect(answersIn((await recorded()).events)).toBe(TURNS)
    }
    expect(kills).toBe(TURNS)
  })
})

describe('a person inside a conversation', () => {
  test('is waited for without a process, and answers from another shell', async () => {
    const waiting = await run(['run', 'research.tek', '--question', 'Which colour?'])
    expect(waiting.code).toBe(6)
    const { out: waits } = await run(['waits', (await recorded()).runId])
    expect(waits).toContain('answer/1.sceptic/sceptic/1.fs_write')
    expect(waits).toContain('out/doubt.md')
    expect(waits).toContain('None.')
    const before = claude.seen.length
    const path = /answer\/1\.sceptic\/sceptic\/1\.fs_write\/\w+/.exec(waits)![0]
    expect((await run(['approve', path])).code).toBe(0)
    const { code, out } = await run(['resume'])
    expect([code, out.trim()]).toEqual([0, 'Blue: all agreed.'])
    expect(claude.seen.length).toBe(TURNS)
    expect(before).toBeLessThan(TURNS)
  })

  test('who refuses is told to the model, which goes on', async () => {
    expect((await run(['run', 'research.tek', '--question', 'Which colour?'])).code).toBe(6)
    const path = /answer\/1\.sceptic\/sceptic\/1\.fs_write\/\w+/.exec((await run(['waits'])).out)![0]
    expect((await run(['refuse', path, '--note', 'not here'])).code).toBe(0)
    const { code, out } = await run(['resume'])
    expect([code, out.trim()]).toEqual([0, 'Blue: all agreed.'])
    expect(claude.seen.map(messagesOf).some(each => each.includes('run/refused-by-person') && each.includes('not here'))).toBe(true)
  })
})

test('a fork from what an agent delegated asks again only what comes after', async () => {
  await run(['run', 'research.tek', '--question', 'Which colour?', '--yes'])
  const report = JSON.parse((await run(['show', 'last', '--json'])).out) as RunReport
  const vote = report.tasks.find(each => each.delegated?.as === 'vote')!.path
  claude.seen.length = 0
  const { code, out } = await run(['fork', 'last', '--from', vote, '--yes', '--allow-all'])
  expect([code, out]).toEqual([0, expect.stringContaining('Blue: all agreed.')])
  expect(claude.seen.length).toBe(TURNS) // they told each other things: the whole conversation begins again
})
