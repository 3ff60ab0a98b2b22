// Machine usage, against what the system's own files and `df` say.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { machineUsage } from '#host/machine-usage.ts'
import { copyTree, exchange, finishExchange, hashTree } from '#host/trees.ts'

const isLinux = existsSync('/proc/meminfo')

test('disk, as df says it', async ({ skip }) => {
  let said: string
  try {
    said = execFileSync('df', ['-P', tmpdir()], { encoding: 'utf8' })
  } catch {
    return skip()
  }
  const percent = Number(/(\d+)%/.exec(said)![1])
  const { disk } = await machineUsage(tmpdir())
  expect(Math.abs(disk * 100 - percent)).toBeLessThanOrEqual(2) // df rounds up, and others write meanwhile
})

test.skipIf(!isLinux)('memory, as /proc/meminfo says it, where no control group is narrower', async ({ skip }) => {
  if ((process.constrainedMemory?.() ?? 0) > 0 && process.constrainedMemory() < Number(/MemTotal: +(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))![1]) * 1_024) skip()
  const info = readFileSync('/proc/meminfo', 'utf8')
  const of = (name: string): number => Number(new RegExp(`${name}: +(\\d+)`).exec(info)![1])
  const { memory } = await machineUsage(tmpdir())
  expect(Math.abs(memory - (1 - of('MemAvailable') / of('MemTotal')))).toBeLessThan(0.15)
})

test.skipIf(!isLinux)('processors: busy work is seen', async () => {
  const times = (): { idle: number; all: number } => {
    const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/\s+/)
    const [user, nice, system, idle, wait, irq, soft, steal] = fields.map(Number) as [number, number, number, number, number, number, number, number]
    return { idle: idle + wait, all: user + nice + system + idle + wait + irq + soft + steal }
  }
  await machineUsage(tmpdir())
  const before = times()
  for (const endMs = performance.now() + 1_500; performance.now() < endMs; ) Math.sqrt(performance.now())
  const { cpu } = await machineUsage(tmpdir())
  const after = times()
  const said = 1 - (after.idle - before.idle) / (after.all - before.all)
  expect(cpu).toBeGreaterThan(0)
  expect(Math.abs(cpu - said)).toBeLessThan(0.35)
})

test('a folder that is not there has an empty disk', async () => {
  expect((await machineUsage('/nowhere/at/all')).disk).toBe(0)
})

test('trees: a copy has the same hash; contents, names, links and rights all count', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tek-trees-'))
  try {
    const [a, b] = [join(root, 'a'), join(root, 'b')]
    mkdirSync(join(a, 'deep/er'), { recursive: true })
    writeFileSync(join(a, 'deep/er/x.txt'), 'x')
    writeFileSync(join(a, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 })
    symlinkSync('deep/er/x.txt', join(a, 'link'))
    symlinkSync('/nowhere', join(a, 'dangling'))
    mkdirSync(join(a, '.tek'))
    await copyTree(a, b, { leftOut: ['.tek'] })
    const hash = await hashTree(a, { leftOut: ['.tek'] })
    expect(await hashTree(b)).toBe(hash)
    expect(await hashTree(a)).not.toBe(hash)
    writeFileSync(join(b, 'deep/er/x.txt'), 'y')
    expect(await hashTree(b)).not.toBe(hash)
    const changed = await hashTree(b)
    await exchange(a, b, join(root, 'spare'))
    expect([await hashTree(a), await hashTree(b, { leftOut: ['.tek'] })]).toEqual([changed, hash])
    // Broken off after each of its renames, where it is not one step:
    execFileSync('mv', [a, join(root, 'spare')])
    await finishExchange(a, b, join(root, 'spare'))
    expect([await hashTree(a, { leftOut: ['.tek'] }), await hashTree(b)]).toEqual([hash, changed])
    execFileSync('mv', [b, join(root, 'spare')])
    await finishExchange(a, b, join(root, 'spare'))
    expect([await hashTree(a, { leftOut: ['.tek'] }), await hashTree(b)]).toEqual([hash, changed])
    await finishExchange(a, b, join(root, 'spare'))
    expect(await hashTree(b)).toBe(changed)
    await expect(hashTree(join(root, 'none'))).rejects.toMatchObject({ code: 'not-found' })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
