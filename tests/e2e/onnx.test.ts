// A model of this machine through the command line: a real one of a few kilobytes, in a folder of the project, with nothing but that folder read.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunNotice } from '#model/report.ts'
import { makeTinyChat } from '../models/tiny-onnx/tiny-chat.ts'
import { until } from '../models/contract.ts'
import { binary, project, startTek, tek } from './binary.ts'

let folder: ReturnType<typeof project>
beforeAll(() => {
  folder = project({
    'ask.tek': `model near = onnx("./models/tiny-chat", maxTokens: 1k)

agent teller {
  model near
  role "You count."
}

/// How many.
type Sum = { sum: int }

workflow count() -> Sum {
  task found by teller -> Sum = prompt """How many are there"""
  return found
}

model endless = onnx("./models/tiny-chat", maxTokens: 900k)

agent talker {
  model endless
  role "You talk."
}

workflow forever() -> string {
  task words by talker -> string = prompt """Go on"""
  return words
}

workflow say() -> string {
  task words by teller -> string = prompt """What is 2 + 2?"""
  return words
}
`,
    'tools.tek': 'model near = onnx("./models/bare")\n\nagent reader {\n  model near\n  role "You read."\n  can fs.read("*.md")\n  tools fs.read\n}\n\nworkflow main() -> untrusted string {\n  can fs.read("*.md")\n  task words by reader -> string = prompt """Read a.md."""\n  return words\n}\n',
    'away.tek': 'model near = onnx("../elsewhere")\n\nagent teller {\n  model near\n  role "You tell."\n}\n\nworkflow main() -> string {\n  task words by teller -> string = prompt """Well?"""\n  return words\n}\n',
  })
  // the first answer is none of the type; the words that ask for another end with the schema, and so with a brace
  makeTinyChat(join(folder.path, 'models/tiny-chat'), { answers: { '2 + 2?': ['It is ', 'four.'], 'How many are there': ['Quite ', 'a few.'], '}': ['{"sum"', ': 4}'], 'Go on': ['on and on ', 'on and on '] }, contextTokens: 1_000_000 })
  makeTinyChat(join(folder.path, 'models/bare'), { answers: {}, takesTools: false })
})
afterAll(() => folder.remove())

const run = (...words: string[]) => tek(words, { cwd: folder.path })
const canTrace = spawnSync('strace', ['-f', '-e', 'trace=connect', 'true'], { stdio: 'ignore' }).status === 0

describe('a model of this machine', () => {
  test('answers, and what it was asked costs nothing', async () => {
    const { code, out, err } = await run('run', 'ask.tek', 'say', '--json')
    expect(err).toBe('')
    expect(code).toBe(0)
    const last = JSON.parse(out.trim().split('\n').at(-1)!) as { summary: { outcome: unknown; usage: unknown } }
    expect(last.summary.outcome).toMatchObject({ kind: 'value', value: 'It is four.' })
    expect(last.summary.usage).toMatchObject({ costMicros: 0 })
    const said = out.trim().split('\n').map(line => JSON.parse(line) as RunNotice).filter(each => each.kind === 'saying')
    expect(said[0]).toMatchObject({ task: 'words', agent: 'teller', what: 'text', text: expect.stringMatching(/^It( is)?$/) })
  })

  test('an answer that is none of its type is mended', async () => {
    const { code, out } = await run('run', 'ask.tek', 'count')
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/"?sum"?: 4/) })
  })

  test('one without a place for tools answers no agent that has some', async () => {
    const { code, err, out } = await run('run', 'tools.tek')
    expect(code).toBe(1)
    expect(err + out).toContain('`near` takes no tools')
  })

  test('one in another place is named by its absolute path', async () => {
    const { code, err, out } = await run('run', 'away.tek')
    expect(code).toBe(1)
    expect(err + out).toContain('no folder of a model')
  })

  test('it is a request of its own: who runs the program allows it, or it is not asked', async () => {
    const { code, err } = await tek(['run', 'ask.tek', 'say'], { cwd: folder.path, asWritten: true })
    expect(code).not.toBe(0)
    expect(err).toContain('llm("near")')
  })

  test.runIf(existsSync(`/proc/${process.pid}/task/${process.pid}/children`))('whoever kills tek ends the model as well', async () => {
    const { child, ended } = startTek(['run', 'ask.tek', 'forever', '--json'], { cwd: folder.path, onOut: text => void (text.includes('"saying"') && (isSaying = true)) })
    let isSaying = false
    await until(() => isSaying)
    const models = readFileSync(`/proc/${child.pid!}/task/${child.pid!}/children`, 'utf8').trim().split(' ').map(Number).filter(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('onnx-child'))
    expect(models).toHaveLength(1)
    child.kill('SIGKILL')
    await ended
    await until(() => !existsSync(`/proc/${models[0]!}`))
  })

  test.runIf(canTrace)('nothing is connected to, not even to look for a newer one', () => {
    const log = join(folder.path, 'trace')
    const { status } = spawnSync('strace', ['-f', '-e', 'trace=connect', '-o', log, process.execPath, binary, 'run', 'ask.tek', 'say', '--allow-all'], { cwd: folder.path, encoding: 'utf8' })
    expect(status).toBe(0)
    expect(readFileSync(log, 'utf8').split('\n').filter(line => /connect\(.*AF_INET/.test(line))).toEqual([])
  })
})
