// Piscina, one task one message: layers of no-op tasks, or a chain. Arguments: tasks, width (1 = a chain). Prints JSON.
import { Piscina } from 'piscina'

const [tasks, width] = process.argv.slice(2).map(Number)
const pool = new Piscina({ filename: new URL('./piscina-noop.mjs', import.meta.url).href, minThreads: 2, maxThreads: 2 })
await pool.run(0)
const before = process.resourceUsage().maxRSS
const from = performance.now()
let value = 0
for (let done = 0; done < tasks; done += width) {
  const layer = await Promise.all(Array.from({ length: Math.min(width, tasks - done) }, (_, index) => pool.run(index + value % 2)))
  value = layer.length
}
const elapsedMs = performance.now() - from
console.log(JSON.stringify({ elapsedMs, grownBytes: (process.resourceUsage().maxRSS - before) * 1024 }))
await pool.destroy()
