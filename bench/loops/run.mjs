// Loops: what a cycle costs whose stages do nothing, and whether ten thousand of them leave memory and disk as they were.
// Run: node bench/loops/run.mjs [CYCLES]   (after `npm run build`; memory is read from /proc, so Linux only)
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const tek = fileURLToPath(new URL('../../dist/tek.mjs', import.meta.url))
const cycles = Number(process.argv[2] ?? 10_000)
const LOOK_EVERY_MS = 500

const program = `
loop idle {
  limits { cycles: ${cycles} }
  differentiate = cycle
  run = 1
  score = 0.0
  promote when false do note("never")
  rollback when false do note("never")
}
`

if (!existsSync(tek)) throw new Error('dist/tek.mjs is missing: run `npm run build` first')
const folder = mkdtempSync(join(tmpdir(), 'tek-bench-loops-'))
try {
  writeFileSync(join(folder, 'idle.tek'), program)
  const child = spawn(process.execPath, [tek, 'run', 'idle.tek', 'idle', '--allow-all', '--json'], { cwd: folder, env: { PATH: process.env.PATH, HOME: folder }, stdio: ['ignore', 'pipe', 'inherit'] })
  const seen = []
  let ended = 0
  let text = ''
  child.stdout.setEncoding('utf8').on('data', piece => {
    text += piece
    const lines = text.split('\n')
    text = lines.pop()
    for (const line of lines) if (line.startsWith('{"kind":"cycle-ended"')) ended++
  })
  const disk = () => readdirSync(join(folder, '.tek'), { recursive: true }).reduce((sum, name) => sum + statSync(join(folder, '.tek', name), { throwIfNoEntry: false })?.size ?? 0, 0)
  const look = () => {
    try {
      const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024
      if (ended > 0 && rss > 0) seen.push({ cycle: ended, rss, disk: disk() })
    } catch {} // it has ended
  }
  const timer = setInterval(look, LOOK_EVERY_MS)
  const startedMs = performance.now()
  const code = await new Promise(resolve => child.on('close', resolve))
  clearInterval(timer)
  const elapsedMs = performance.now() - startedMs
  if (code !== 0) throw new Error(`tek ended with ${code}`)
  const mb = bytes => `${(bytes / 1_048_576).toFixed(1)} MB`
  console.log(`${cycles} cycles in ${(elapsedMs / 1_000).toFixed(1)} s: ${(elapsedMs / cycles).toFixed(2)} ms a cycle`)
  console.log('| cycles | memory | .tek |\n| --- | --- | --- |')
  for (let part = 1; part <= 10; part++) {
    const at = seen.findLast(each => each.cycle <= (cycles * part) / 10)
    if (at !== undefined) console.log(`| ${at.cycle} | ${mb(at.rss)} | ${mb(at.disk)} |`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
