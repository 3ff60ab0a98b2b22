// What the guard adds to a call: the same small file read 3,000 times, through a call's context and straight from the host, in turns.
// Prints JSON: microseconds of one decision (median of the differences), and of one read.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseGrant } from '#grants/grant-text.ts'
import { nodeHost } from '#host/node-host.ts'
import { makeToolContext } from '#interpreter/guard/context.ts'

const ROUNDS = 3_000
const WARM_UP = 500
const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'tek-guard-')))
mkdirSync(join(cwd, 'src/deep'), { recursive: true })
const file = join(cwd, 'src/deep/a.txt')
writeFileSync(file, 'hello')
const host = nodeHost({ cwd })
const levels = [['fs.read("**")', 'exec("git", "log", "*")'], ['fs.read("src/**")', 'net("example.com")']].map(level => level.map(each => parseGrant(each)!))
/** Every call has a context of its own, as in a run. */
const context = () => makeToolContext({
  host, cwd, authority: levels, implied: [], signal: new AbortController().signal, idempotencyKey: 'k', taskPath: 't', onCount: () => {}, onLog: () => {}, onProgress: () => {},
})

async function timed(act: () => Promise<unknown>): Promise<number> {
  const from = process.hrtime.bigint()
  await act()
  return Number(process.hrtime.bigint() - from) / 1_000
}

const guarded: number[] = []
const bare: number[] = []
for (let round = 0; round < ROUNDS + WARM_UP; round++) {
  const [with_, without] = [await timed(() => context().files.readBytes('src/deep/a.txt')), await timed(() => host.files.readBytes(file, 10_000_000, { exact: true }))]
  if (round < WARM_UP) continue
  guarded.push(with_)
  bare.push(without)
}
rmSync(cwd, { recursive: true, force: true })
const median = (all: number[]): number => all.sort((a, b) => a - b)[all.length >> 1]!
const [all, read] = [median(guarded), median(bare)]
console.log(JSON.stringify({ guardUs: all - read, readUs: read }))
