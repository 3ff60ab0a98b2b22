// From the process: what a plugin that needs Node tries, in the machine's sandbox. `_.given` is the port of a listener of this machine.
import { value, type Escape } from './escape.ts'

const before = "import fs from 'node:fs'\nimport net from 'node:net'\nimport os from 'node:os'\nimport { spawnSync } from 'node:child_process'\n"
const attempt = (code: string): string => `try { ${code} } catch (e: any) { return 'refused' }`

export const fromTheProcess: readonly Escape[] = [
  { tries: 'read a file of the project', by: 'sandbox', before, body: attempt(`return fs.readFileSync(c.cwd + '/secret.txt', 'utf8')`), gives: value('refused') },
  { tries: "read the user's files", by: 'sandbox', before, body: attempt(`const names = fs.readdirSync('/root'); return names.length === 0 ? 'refused' : names`), gives: value('refused') },
  { tries: 'write a file of the project', by: 'sandbox', before, body: attempt(`fs.writeFileSync(c.cwd + '/written.txt', 'x'); return fs.readFileSync(c.cwd + '/secret.txt') && 'written'`), gives: value('refused') },
  { tries: 'change its own code', by: 'sandbox', before, body: attempt(`fs.appendFileSync(new URL(import.meta.url), '// more'); return 'written'`), gives: value('refused') },
  { tries: 'connect to this machine', by: 'sandbox', before, body: `return new Promise(done => { try { net.connect(_.given, '127.0.0.1').on('connect', () => done('connected')).on('error', () => done('refused')) } catch { done('refused') } })`, gives: value('refused') },
  { tries: 'read the environment of tek', by: 'sandbox', before, body: `return [process.env.PATH ?? 'none', (() => { try { return fs.readFileSync('/proc/' + process.ppid + '/environ', 'utf8').includes('VITEST') } catch { return false } })()]`, gives: value(['none', false]) },
  { tries: 'start a program that reaches further', by: 'sandbox', before, body: attempt(`return spawnSync('/bin/cat', [c.cwd + '/secret.txt'], { encoding: 'utf8' }).stdout || 'refused'`), gives: value('refused') },
  { tries: 'do by its context what was not granted', by: 'guard', before, body: `return [os.EOL, await c.run('cat', ['secret.txt']).catch((e: any) => e.code)]`, gives: value(['\n', 'permit/denied']) },
]
