// Escapes tried for real: at each level this machine has, as who runs the tests and as nobody, and (those that harm nothing) without a sandbox.
import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attempts } from './attempts.ts'
import { levelsPage } from './page.ts'

/** Not below /tmp, which a sandbox covers with its own: what is stopped by that alone would look stopped everywhere. */
const folder = realpathSync(mkdtempSync('/var/tmp/tek-escape-'))
const belowTmp = realpathSync(mkdtempSync(join(tmpdir(), 'tek-escape-')))
const runner = join(folder, 'runner.mjs')
const isRoot = process.getuid?.() === 0
const has = (program: string): boolean => existsSync(`/usr/bin/${program}`)
/** `nobody` of every distribution has this number. */
const NOBODY = 65_534

beforeAll(async () => {
  chmodSync(folder, 0o755)
  await build({ entryPoints: [join(import.meta.dirname, 'runner.ts')], outfile: runner, bundle: true, platform: 'node', format: 'esm', conditions: ['tek-source'], logLevel: 'error' })
  writeFileSync(join(folder, 'inherited'), 'mark-5f3a91c2\n', { mode: 0o644 })
})
afterAll(() => { for (const each of [folder, belowTmp]) rmSync(each, { recursive: true, force: true }) })

interface Outcome {
  readonly level: number
  readonly missing: readonly { readonly level: number; readonly why: string }[]
  readonly results: Readonly<Record<string, { readonly got: boolean; readonly said: string }>>
}

function tryAll(level: 0 | 2 | 3, asNobody: boolean, parent = folder): Outcome {
  const own = join(parent, `${level}-${asNobody ? 'nobody' : 'self'}`)
  mkdirSync(own)
  if (asNobody) spawnSync('chown', [`${NOBODY}:${NOBODY}`, own])
  const node = [process.execPath, runner, own, String(level)]
  const command = asNobody ? ['/usr/bin/setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...node] : node
  // A descriptor that whoever started tek left open, beyond those that Node closes by itself.
  const inherited = openSync(join(folder, 'inherited'), 'r')
  const stdio = Array.from({ length: 41 }, (_, at) => (at < 3 ? 'pipe' as const : at === 40 ? inherited : 'ignore' as const))
  const { stdout, stderr } = spawnSync(command[0]!, command.slice(1), {
    cwd: own, encoding: 'utf8', stdio, timeout: 120_000,
    env: { PATH: '/usr/bin:/bin', HOME: own, XDG_CACHE_HOME: join(own, 'cache'), CANARY: 'mark-5f3a91c2', TEK_SANDBOX: String(level === 0 ? 3 : level) },
  })
  closeSync(inherited)
  if (stdout.trim() === '') throw new Error(`the runner ended without a word: ${stderr}`)
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Outcome
}

const wants = (level: 2 | 3) => Object.fromEntries(attempts.map(each => [each.id, level === 2 ? each.level2 : each.level3]))
const saw = ({ results }: Outcome) => Object.fromEntries(Object.entries(results).map(([id, { got }]) => [id, got ? 'open' : 'stopped']))

test('at least forty attempts, each with its own name', () => {
  expect(attempts.length).toBeGreaterThanOrEqual(40)
  expect(new Set(attempts.map(each => each.id)).size).toBe(attempts.length)
})

describe.skipIf(!has('bwrap') || !has('prlimit') || !has('perl'))('level 3 (needs bubblewrap, prlimit, perl)', () => {
  for (const who of isRoot && has('setpriv') ? ['self', 'nobody'] : ['self']) {
    test(`each attempt ends as docs/levels.md says, as ${who}`, () => {
      const outcome = tryAll(3, who === 'nobody')
      expect(outcome).toMatchObject({ level: 3 })
      expect(saw(outcome), JSON.stringify(outcome.results, null, 1)).toEqual(wants(3))
    }, 120_000)
  }
})

describe.skipIf(!has('perl') || process.platform !== 'linux')('level 2 (needs perl and Linux)', () => {
  for (const who of isRoot && has('setpriv') ? ['self', 'nobody'] : ['self']) {
    test(`each attempt ends as docs/levels.md says, as ${who}`, () => {
      const outcome = tryAll(2, who === 'nobody')
      expect(outcome).toMatchObject({ level: 2 })
      expect(saw(outcome), JSON.stringify(outcome.results, null, 1)).toEqual(wants(2))
    }, 120_000)
  }
})

test.skipIf(!has('perl') || process.platform !== 'linux')('level 2 below /tmp, where the sandbox puts granted folders into its own: the same, and names cannot be learned either', () => {
  expect(saw(tryAll(2, false, belowTmp))).toEqual({ ...wants(2), exists: 'stopped' })
}, 120_000)

test.skipIf(process.platform !== 'linux' || !has('perl'))('without a sandbox the same attempts succeed: they are real', () => {
  const outcome = tryAll(0, false)
  const harmless = attempts.filter(each => each.onlyConfined !== true).map(each => each.id)
  const failed = harmless.filter(id => !outcome.results[id]!.got)
  expect(failed, JSON.stringify(outcome.results, null, 1)).toEqual([])
  expect(harmless.length).toBeGreaterThan(20)
}, 120_000)

test('docs/levels.md is what the attempts say (UPDATE_LEVELS=1 writes it)', () => {
  const path = join(import.meta.dirname, '../../../docs/levels.md')
  if (process.env['UPDATE_LEVELS'] === '1') writeFileSync(path, levelsPage())
  expect(readFileSync(path, 'utf8')).toBe(levelsPage())
})
