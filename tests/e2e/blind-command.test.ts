// A command that fails because it saw no file of the folder: its failure says so, and where it does not fail the task, the log does.
import { afterAll, describe, expect, test } from 'vitest'
import { machineLevel } from '#host/run-command.ts'
import { project, tek } from './binary.ts'

const { level } = await machineLevel()
const must = (grants: string): string => `workflow w() -> string {\n  can exec("sh", "**")${grants}\n  task out = shell.must("sh", "-c", "cat a.txt")\n  return "read"\n}\n`
const folder = project({
  'a.txt': 'a\n', 'package.json': '{"name":"x","version":"1.0.0","scripts":{"test":"exit 0"}}',
  'must.tek': must(''), 'seen.tek': must(', fs.read("a.txt")'), 'other.tek': must(', fs.read("package.json")'),
  'run.tek': 'workflow w() -> int {\n  can exec("sh", "**")\n  task out = shell.run("sh", "-c", "cat a.txt")\n  return 1\n}\n',
})
afterAll(() => folder.remove())
const run = (...words: string[]) => tek(words, { cwd: folder.path })
const said = '`sh` saw no file of this folder: a command sees those that are granted and no others. `can fs.read("**")` shows it all of them.'
const flat = (text: string): string => text.replace(/\s+/g, ' ')

describe.skipIf(level < 2)(`at level ${level} (needs a sandbox)`, () => {
  test('shell.must fails with what was seen; where the command saw something it does not', async () => {
    const blind = await run('run', 'must.tek', '--quiet')
    expect(blind.code).not.toBe(0)
    expect(flat(blind.err)).toContain(`= help: ${said}`)
    const json = JSON.parse((await run('show', 'last', '--json')).out) as { summary: { outcome: { failure: { help: string } } } }
    expect(json.summary.outcome.failure.help).toContain(said)
    expect((await run('run', 'seen.tek', '--quiet')).code).toBe(0)
    const other = await run('run', 'other.tek', '--quiet')
    expect(other.code).not.toBe(0)
    expect(other.err).not.toContain('saw no file')
  })

  test('shell.run, which gives back whatever happened, says it while it runs and in `tek show`', async () => {
    const { code, err } = await run('run', 'run.tek')
    expect(code).toBe(0)
    expect(err).toContain(`: ${said}\n`)
    const shown = await run('show', 'last')
    expect(shown.out).toMatch(/^said by tools \(tek logs [0-9a-f]{8}\)$/m)
    expect(shown.out).toContain(`: ${said}\n`)
  })
})
