// `tek test --watch`: a change of a program, of a file that it uses, or of a cassette begins another round.
import { afterEach, expect, test } from 'vitest'
import { project, startTek } from './binary.ts'

let folder: ReturnType<typeof project>
afterEach(() => folder.remove())

test('each change begins a round, also after one that does not compile', async () => {
  folder = project({ 'lib.tek': 'workflow one() -> int {\n  return 1\n}\n', 'a.tek': 'use "./lib.tek" (one)\ntest "t" {\n  let found = one()\n  expect found == 1\n}\n' })
  let said = ''
  const { child, ended } = startTek(['test', 'a.tek', '--watch'], { cwd: folder.path, onErr: text => void (said += text), onOut: text => void (said += text) })
  const rounds = async (count: number): Promise<string> => {
    const round = (): string[] => said.split('watching for changes, Ctrl-C ends\n')
    for (let look = 0; look < 2_000 && round().length <= count; look++) await new Promise(resolve => setTimeout(resolve, 20))
    return round()[count - 1] ?? ''
  }
  expect(await rounds(1)).toContain('1 of 1 test passed')
  folder.write('lib.tek', 'workflow one() -> int {\n  return 12\n}\n')
  expect(await rounds(2)).toContain('0 of 1 test passed')
  folder.write('lib.tek', 'workflow one( -> int {\n')
  expect(await rounds(3)).toMatch(/error syntax\//)
  folder.write('lib.tek', 'workflow one(( -> int {\n')
  expect(await rounds(4)).toMatch(/error syntax\//)
  folder.write('lib.tek', 'workflow one() -> int {\n  return 3 - 2\n}\n')
  expect(await rounds(5)).toContain('1 of 1 test passed')
  child.kill('SIGINT')
  await ended
})
