// What the benchmarks rest on: the programs they generate are what they say, and the arithmetic is right.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { emptyFolder, projectRoot, removeFolder, runForValue, runTek } from './run-tek.ts'

interface Generate {
  layeredTek(tasks: number, width: number): string
  chainTek(length: number): string
  busyTek(tasks: number, rounds: number): string
  declarationsTek(count: number, mistakes?: number): string
  randomGraph(count: number, seed: number): { id: number; ms: number; after: number[] }[]
  leastMakespanMs(graph: { id: number; ms: number; after: number[] }[], places: number): number
  sleepingTek(graph: { id: number; ms: number; after: number[] }[], places: number): string
}
interface Measure {
  median(values: number[]): number
  logLogSlope(points: [number, number][]): number
  race(contestants: Record<string, () => Promise<number>>, rounds: number): Promise<Record<string, { value?: number; n?: number; skipped?: string }>>
}

const generate = (await import(join(projectRoot, 'bench/generate.mjs'))) as Generate
const measure = (await import(join(projectRoot, 'bench/measure.mjs'))) as Measure
const folder = emptyFolder()
afterAll(() => removeFolder(folder))

function saved(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return name
}

describe('generated programs', () => {
  test('layers and chains run and give their size', () => {
    expect(runForValue([saved('layers.tek', generate.layeredTek(60, 20))], folder)).toBe(19)
    expect(runForValue([saved('chain.tek', generate.chainTek(30))], folder)).toBe(30)
    expect(runForValue([saved('busy.tek', generate.busyTek(3, 50))], folder)).toBe(3)
    expect(runForValue([saved('sleeping.tek', generate.sleepingTek([{ id: 0, ms: 1, after: [] }, { id: 1, ms: 2, after: [0] }], 2))], folder)).toBe(2)
  })

  test('declarations are as many as asked for, without mistakes, or with exactly the planted ones', () => {
    const text = generate.declarationsTek(200)
    expect(text.match(/^(type|const|workflow) /gm)).toHaveLength(200)
    expect(runTek(['check', saved('fine.tek', text)], folder).exitCode).toBe(0)
    const ended = runTek(['check', saved('planted.tek', generate.declarationsTek(400, 8)), '--json'], folder)
    expect(ended.exitCode).toBe(3)
    expect((JSON.parse(ended.stdout) as { diagnostics: unknown[] }).diagnostics).toHaveLength(8)
  })

  test('the least makespan of a graph is its critical path or its shared work', () => {
    const chain = [{ id: 0, ms: 10, after: [] }, { id: 1, ms: 20, after: [0] }, { id: 2, ms: 5, after: [] }]
    expect(generate.leastMakespanMs(chain, 4)).toBe(30)
    expect(generate.leastMakespanMs(chain, 1)).toBe(35)
    expect(generate.randomGraph(50, 3)).toEqual(generate.randomGraph(50, 3))
  })
})

describe('measuring', () => {
  test('median and slope', () => {
    expect(measure.median([3, 1, 2])).toBe(2)
    expect(measure.median([4, 1, 2, 3])).toBe(2.5)
    expect(measure.logLogSlope([[10, 100], [100, 10_000]])).toBeCloseTo(2)
  })

  test('a contestant that cannot run is left out with its reason, the others are measured', async () => {
    const results = await measure.race({ here: async () => 7, gone: async () => { throw new Error('not installed: ninja') } }, 3)
    expect(results).toEqual({ here: { value: 7, n: 3 }, gone: { skipped: 'not installed: ninja' } })
  })

  test('a case that does not exist is named, with those that do', () => {
    const ended = runBench('S99')
    expect(ended.exitCode).toBe(2)
    expect(ended.stderr).toContain('There is no case S99')
    expect(ended.stderr).toContain('S1')
  })
})

function runBench(...args: string[]): { exitCode: number | null; stderr: string } {
  const ended = spawnSync(process.execPath, [join(projectRoot, 'bench/run.mjs'), ...args], { encoding: 'utf8' })
  return { exitCode: ended.status, stderr: ended.stderr }
}

test('conversations of agents come to their end, by tek as by the bare SDK', async () => {
  const { build } = await import('esbuild')
  const hostModule = join(folder, 'agents-host.mjs')
  await build({ entryPoints: [join(projectRoot, 'src/host/node-host.ts')], outfile: hostModule, bundle: true, format: 'esm', platform: 'node', conditions: ['tek-source'] })
  for (const who of ['tek', 'sdk']) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(projectRoot, 'bench/agents-child.mjs'), who, '3', '2', '1', hostModule, folder], { encoding: 'utf8' })
    expect(status, stderr).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ elapsedMs: expect.any(Number), grownBytes: expect.any(Number), gapMs: expect.any(Number) })
  }
})
