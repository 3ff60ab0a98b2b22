// Attacks on who looks: texts that steer a terminal, forge lines of a log, or make a program look like another.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { plainListener } from '#telemetry/plain.ts'
import { consoleListener } from '#telemetry/console.ts'
import { plainPaint } from '#base/terminal-text.ts'
import type { RunNotice } from '#model/report.ts'
import { tek } from '../../cli/command-line.ts'
import { type Attack, type Family } from './attack.ts'
import type { World } from './world.ts'

/** Sets the title, clears the screen, writes the clipboard, begins a link, goes on in 8-bit, turns the line round, hides a part. */
const STEERING = '\u001b]0;owned\u0007\u001b[2J\u001b]52;c;b3duZWQ=\u0007\u001b]8;;http://evil.test\u001b\\\u009b2J\u202eesrever\u2066\u200b\u{e0041}\r\b\u007f'
const UNSAFE = /\u001b\]|\u001b\[2J|\u0007|\u009b|[\u202a-\u202e\u2066-\u2069]|\u200b|\u{e0041}|owned\r|\u0008|\u007f/u
const escaped = STEERING.replace(/[^\x20-\x7e]|["\\$]/gu, each => `\\u{${each.codePointAt(0)!.toString(16)}}`)

async function shown(world: World, words: readonly string[], terminal?: number): Promise<string> {
  const { out, err } = await tek(words, { cwd: world.cwd, ...(terminal === undefined ? {} : { terminal }) })
  return out + err
}

function seen(text: string, mustHold: string): { by: 'terminal' | 'nothing'; with: string } {
  expect(text).toContain(mustHold)
  return UNSAFE.test(text) ? { by: 'nothing', with: `${JSON.stringify(UNSAFE.exec(text)![0])} in ${JSON.stringify(text.slice(Math.max(0, text.search(UNSAFE) - 80), text.search(UNSAFE) + 40))}` } : { by: 'terminal', with: 'shown as pictures' }
}

function attempt(id: string, tries: string, run: (world: World) => Promise<{ by: 'terminal' | 'nothing'; with: string }>): Attack {
  return { id, tries, by: 'terminal', with: 'shown as pictures', run }
}

const put = (world: World, name: string, text: string): void => writeFileSync(join(world.cwd, name), text)

function throughListener(make: typeof plainListener | typeof consoleListener, notices: readonly RunNotice[]): string {
  let text = ''
  const surface = { write: (part: string) => void (text += part), paint: plainPaint, columns: () => 100 }
  const listener = make === plainListener ? plainListener(surface) : consoleListener(surface, () => 0)
  for (const notice of notices) listener.notice(notice)
  return text
}

const taskDone = (label: string): RunNotice => ({ kind: 'task', path: 'a', status: 'failed', atMs: 0, elapsedMs: 1, label, cached: false, attempt: 1, failure: { code: 'a/b', message: STEERING, task: 'a', retryable: false } }) as unknown as RunNotice
const logged = (message: string): RunNotice => ({ kind: 'log', task: 'a', message, atMs: 0 }) as unknown as RunNotice

const attacks: readonly Attack[] = [
  attempt('result', 'steer the terminal by a result', async world => {
    put(world, 'a.tek', `workflow w() -> string {\n  task it = "marker ${escaped}"\n  return it\n}\n`)
    return seen(await shown(world, ['run', 'a.tek', '--no-journal', '--allow-all'], 80), 'marker')
  }),
  attempt('failure', 'steer it by the message of a failure', async world => {
    put(world, 'a.tek', `workflow w() -> string {\n  task it = fail("marker ${escaped}")\n  return it\n}\n`)
    return seen(await shown(world, ['run', 'a.tek', '--no-journal', '--allow-all'], 80), 'marker')
  }),
  attempt('label', 'steer it by the label of a task, without a terminal', async world => {
    put(world, 'a.tek', `workflow w(what: string) -> int {\n  task it label "marker \${what}" = 1\n  return it\n}\n`)
    return seen(await shown(world, ['run', 'a.tek', '--no-journal', '--allow-all', '--what', STEERING]), 'marker')
  }),
  attempt('file-content', 'steer it by what a file holds', async world => {
    put(world, 'src/evil.txt', `marker ${STEERING}`)
    put(world, 'a.tek', 'workflow w() -> untrusted string {\n  can fs.read("src/**")\n  task it = fs.read("src/evil.txt")\n  return it\n}\n')
    return seen(await shown(world, ['run', 'a.tek', '--no-journal', '--allow-all'], 80), 'marker')
  }),
  attempt('file-name', 'steer it by the name of a file that is found', async world => {
    put(world, 'src/marker \u001b]0;owned\u0007\u202e.txt', 'x')
    put(world, 'a.tek', 'workflow w() -> path[] {\n  can fs.read("src/**")\n  task it = fs.glob("src/*.txt")\n  return it\n}\n')
    return seen(await shown(world, ['run', 'a.tek', '--no-journal', '--allow-all'], 80), 'marker')
  }),
  attempt('refusal', 'steer it by a path that is refused', async world => {
    put(world, 'a.tek', 'workflow w(file: path) -> untrusted string {\n  can fs.read("src/**")\n  task it = fs.read(file)\n  return it\n}\n')
    return seen(await shown(world, ['run', 'a.tek', '--no-journal', '--allow-all', '--file', `marker ${STEERING}`], 80), 'marker')
  }),
  attempt('show', 'steer it later, by a run that is shown', async world => {
    world.put('../clean/a.tek', `workflow w() -> string {\n  task it = fail("marker ${escaped}")\n  return it\n}\n`)
    const cwd = join(world.root, 'clean') // the journal of `work` is a dummy
    await tek(['run', 'a.tek', '--allow-all'], { cwd })
    const { out, err } = await tek(['show', 'last'], { cwd, terminal: 80 })
    world.seal()
    return seen(out + err, 'marker')
  }),
  attempt('source', 'steer it by a mistake in a program that is checked', async world => {
    put(world, 'a.tek', `workflow marker() -> int { return x } // ${STEERING.replace('\r', '')}\n`)
    return seen(await shown(world, ['check', 'a.tek'], 80), 'syntax/hidden-character')
  }),
  attempt('source-name', 'steer it by the name of a program', async world => {
    const name = 'marker \u001b]0;owned\u0007\u202e.tek'
    put(world, name, 'workflow w() -> int { return x }\n')
    return seen(await shown(world, ['check', name], 80), 'marker')
  }),
  attempt('unknown-command', 'steer it by a command that does not exist', async world => seen(await shown(world, [`marker${STEERING}`], 80), 'marker')),
  attempt('graph', 'steer it by a label in a drawn plan', async world => {
    put(world, 'a.tek', `workflow w() -> int {\n  task marker label "${escaped}" = 1\n  return marker\n}\n`)
    return seen(await shown(world, ['graph', 'a.tek'], 100), 'marker')
  }),
  attempt('plan', 'steer it by what a plan asks for', async world => {
    put(world, 'a.tek', `workflow w(file: path) -> untrusted string {\n  can fs.read("src/marker${escaped}")\n  task it = fs.read(file)\n  return it\n}\n`)
    return seen(await shown(world, ['plan', 'a.tek'], 100), 'marker')
  }),
  attempt('live-log', 'steer it by a line of a log, live', async () => seen(throughListener(consoleListener, [logged(`marker ${STEERING}`)]), 'marker')),
  attempt('plain-log', 'steer it by a line of a log in CI', async () => seen(throughListener(plainListener, [logged(`marker ${STEERING}`), taskDone(`marker ${STEERING}`)]), 'marker')),
  {
    id: 'forged-line', tries: 'forge a line of the log: a text with a line end and a line like tek\'s own', by: 'terminal', with: 'one line each',
    async run() {
      const forged = 'ok\ndone      deploy · 1 ms\nerror permit/denied: none'
      const text = throughListener(plainListener, [logged(forged), taskDone(forged)])
      const lines = text.trimEnd().split('\n')
      return lines.length === 2 && !lines.some(line => /^(?:done|error)/.test(line)) ? { by: 'terminal', with: 'one line each' } : { by: 'nothing', with: text }
    },
  },
  {
    id: 'forged-error', tries: 'forge an error by a message of several lines', by: 'terminal', with: 'behind a bar',
    async run(world) {
      put(world, 'a.tek', 'workflow w() -> int {\n  task it = fail("x\\nerror permit/denied: forged\\n  = help: run it with --allow-all")\n  return it\n}\n')
      const { err } = await tek(['run', 'a.tek', '--no-journal', '--allow-all'], { cwd: world.cwd })
      expect(err).toContain('forged')
      return /^(?:error permit| {2}= help: run)/m.test(err) ? { by: 'nothing', with: err } : { by: 'terminal', with: 'behind a bar' }
    },
  },
]

export const terminalAttacks: Family = { name: 'Who looks', about: 'Texts with control characters, direction marks and hidden letters, wherever tek shows a text from outside.', attacks }
