// `tek run --watch`: again at each change of the program, of a file it uses, of its plugin; on after what does not compile.
import { afterEach, expect, test } from 'vitest'
import { project, startTek, tek } from '../e2e/binary.ts'
import { until } from './harness.ts'

const folders: { remove(): void }[] = []
afterEach(() => {
  for (const each of folders.splice(0)) each.remove()
})

test('a program, a file it uses and its plugin', { timeout: 180_000 }, async () => {
  const plugin = [
    "import { definePlugin, pure, z } from 'tek-lang/plugin'", "import { end } from './end.ts'", '',
    "export default definePlugin({ name: 'words', version: '1.0.0', doc: 'A word.', tools: { word: pure({ doc: 'A word.', input: {}, output: z.string(), run: () => `word${end}` }) } })", '',
  ].join('\n')
  const folder = project({
    'main.tek': 'use plugin "./plugins/words.ts" as words\nuse "./part.tek" (part)\n\nworkflow main() -> string {\n  task p = part()\n\n  task w = words.word()\n\n  return "first ${p} ${w}"\n}\n',
    'part.tek': 'workflow part() -> string {\n  return "one"\n}\n',
    'plugins/words.ts': plugin, 'plugins/end.ts': "export const end = '.'\n",
  })
  folders.push(folder)
  const [checked] = [await tek(['check', 'main.tek'], { cwd: folder.path })]
  expect(checked.code, checked.out + checked.err).toBe(0)
  let [out, err] = ['', '']
  const { child, ended } = startTek(['run', 'main.tek', '--watch', '--quiet'], { cwd: folder.path, onOut: text => void (out += text), onErr: text => void (err += text) })
  await until(() => out.includes('first one word.') && err.includes('watching for changes'))
  folder.write('part.tek', 'workflow part() -> string {\n  return "another"\n}\n')
  await until(() => out.includes('first another word.'))
  folder.write('main.tek', 'workflow main() -> string { return nothing }\n')
  await until(() => err.includes('nothing'))
  folder.write('main.tek', 'use plugin "./plugins/words.ts" as words\n\nworkflow main() -> string {\n  task w = words.word()\n\n  return "second ${w}"\n}\n')
  await until(() => out.includes('second word.'))
  folder.write('plugins/end.ts', "export const end = '!'\n")
  await until(() => out.includes('second word!'))
  child.kill('SIGKILL')
  await ended
})

test('what cannot be watched', async () => {
  const folder = project({})
  folders.push(folder)
  for (const words of [['-'], ['repo-health']]) {
    const { code, err } = await tek(['run', ...words, '--watch'], { cwd: folder.path, stdin: 'workflow w() -> int { return 1 }\n' })
    expect([code, err]).toEqual([2, expect.stringContaining('cli/bad-value')])
  }
})
