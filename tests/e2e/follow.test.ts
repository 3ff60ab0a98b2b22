// Follow: `tek logs --follow` tells the lines of a run as they come, whichever process drives it.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { project, startTek, tek } from './binary.ts'

const says = (name: string): string => `tests.run("sh", "-c", "while ! test -f go-${name}; do sleep 0.05; done; echo said by ${name}; exit 1").passed`
const folder = project({
  'flow.tek': `workflow flow() -> bool[] {\n  can exec("sh", "-c", "*"), fs.read("**"), fs.write("**")\n\n  task one = ${says('one')}\n\n  task two after one approve "Two?" = ${says('two')}\n\n  task wrong after two on failure continue = fail("it is Monday")\n\n  return [one, two]\n}\n`,
})
const run = (...words: string[]): ReturnType<typeof tek> => tek(/^(run|resume)$/.test(words[0]!) ? [...words, '--allow-all', '--unconfined'] : words, { cwd: folder.path })
afterEach(async () => {
  await run('stop', '--all')
  rmSync(join(folder.path, '.tek'), { recursive: true, force: true })
  for (const name of ['one', 'two']) rmSync(join(folder.path, `go-${name}`), { force: true })
})
afterAll(() => folder.remove())
async function see(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(resolve => setTimeout(resolve, 30))
}
async function begin(): Promise<ReturnType<typeof startTek>> {
  const started = startTek(['run', 'flow.tek', '--allow-all', '--unconfined'], { cwd: folder.path })
  while (!existsSync(join(folder.path, '.tek', 'tek.db')) || !(await run('runs')).out.includes('running')) await new Promise(resolve => setTimeout(resolve, 50))
  return started
}

test('lines come as they are said, across a wait and a resume in another process, and it ends with the run', async () => {
  let [out, err] = ['', '']
  const first = await begin()
  const following = startTek(['logs', '--follow'], { cwd: folder.path, onOut: text => void (out += text), onErr: text => void (err += text) })
  folder.write('go-one', '')
  await see(() => out.includes('said by one'))
  expect(following.child.exitCode).toBe(null)
  expect((await first.ended).code).toBe(6)
  await see(() => /[0-9a-f]{8} is waiting: what it says when it goes on follows here\.\n {2}waits for you: two — Two\?\n/.test(err))
  folder.write('go-two', '')
  await run('approve')
  expect((await run('resume')).code).toBe(0)
  const { code } = await following.ended
  expect(code).toBe(0)
  expect(out).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}info {3}one {13} {2}said by one\n[\s\S]*\n\S+ +info +two +said by two\n[\s\S]*\S+ +(?:warn|error) +wrong +run\/failed: .*it is Monday.*\n$/)
  expect(out.match(/said by (?:one|two)/g)).toEqual(['said by one', 'said by two'])
  expect(err).toMatch(/done flow · 2 of 3 tasks/)
})

test('for programs each line is an object; --task is one task; a finished run is told whole, and ends it', async () => {
  const { ended } = await begin()
  const following = startTek(['logs', 'last', '--follow', '--task', 'two', '--json'], { cwd: folder.path })
  folder.write('go-one', '')
  folder.write('go-two', '')
  expect((await ended).code).toBe(6)
  await run('approve')
  expect((await run('resume')).code).toBe(0)
  const { out, err, code } = await following.ended
  expect([code, err]).toEqual([0, ''])
  const lines = out.trimEnd().split('\n').map(line => JSON.parse(line) as Record<string, unknown>)
  expect(lines.every(each => each['version'] === 1 && each['task'] === 'two')).toBe(true)
  expect(lines.filter(each => each['message'] === 'said by two')).toMatchObject([{ level: 'info', runId: expect.any(String), atMs: expect.any(Number) }])
  expect((await run('logs', '--follow')).out.match(/said by (one|two)/g)).toEqual(['said by one', 'said by two'])
})

test('Ctrl-C ends the following, not the run', async () => {
  const { ended } = await begin()
  const following = startTek(['logs', '-f'], { cwd: folder.path })
  following.child.kill('SIGINT')
  await following.ended
  expect((await run('runs')).out).toContain('running')
  folder.write('go-one', '')
  expect((await ended).code).toBe(6)
})
