// Programs: what bench/crash kills. Each says what the world must look like afterwards.
// Owns: their text, which task does which work, what is at least once by nature. Does not own: killing (ordeal.mjs).
//   P1. `workOf` gives the work of a finished task as the world names it: after the task is recorded as done that work must not be asked for again.
//   P2. `faults` gives what is lost and doubled at the end, in words; `again` counts work that was under way at a kill and came twice where nothing can prevent that.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const indexOf = (path, name) => {
  const found = new RegExp(`^${name}\\[(\\d+)\\]$`).exec(path)
  return found === null ? null : Number(found[1])
}

/** Faults of calls that the server counts: `path items keysOf`. */
function countedFaults(world, path, items, keysOf = () => 1) {
  const faults = { lost: [], doubled: [] }
  for (let item = 0; item < items; item++) {
    const what = `${path} ${item}`
    if (!world.done.has(what)) faults.lost.push(what)
    if ((world.done.get(what) ?? 0) > 1) faults.doubled.push(what)
    if (world.keys.get(what) !== keysOf(item)) faults.doubled.push(`${what}: ${world.keys.get(what)} keys instead of ${keysOf(item)}`)
  }
  return faults
}

/** `base`: where the world answers for this run; `items`: how much work; `mark`: in the arguments of every command. */
export const programs = {
  'fan-out': {
    items: 400,
    text: ({ port, base, items }) => `workflow main() -> { first: int, second: int } {
  can net("127.0.0.1:${port}")

  task posted for n in range(${items}) parallel 8 = http.postJson("${base}/fan", { item: n })

  task doubled -> int[] = json.parse(json.print(posted))

  task again for n in doubled parallel 8 = http.postJson("${base}/again", { item: n })

  task last -> int[] = json.parse(json.print(again))

  return { first: sum(doubled), second: sum(last) }
}
`,
    workOf: (path, base) => {
      const [posted, again] = [indexOf(path, 'posted'), indexOf(path, 'again')]
      return posted !== null ? `${base}/fan ${posted}` : again !== null ? `${base}/again ${2 * again}` : null
    },
    faults: ({ world, base, items }) => {
      const first = countedFaults(world, `${base}/fan`, items)
      const lost = Array.from({ length: items }, (_, n) => `${base}/again ${2 * n}`).filter(what => world.done.get(what) !== 1)
      return { lost: [...first.lost, ...lost.filter(what => !world.done.has(what))], doubled: [...first.doubled, ...lost.filter(what => world.done.has(what))] }
    },
  },
  retries: {
    items: 200,
    text: ({ port, base, items }) => `workflow main() -> int {
  can net("127.0.0.1:${port}")

  task tried for n in range(${items}) parallel 6 retry 6 backoff 1ms..6ms timeout 60s = http.postJson("${base}/retries", { item: n })

  task doubled -> int[] = json.parse(json.print(tried))

  return sum(doubled)
}
`,
    workOf: (path, base) => {
      const tried = indexOf(path, 'tried')
      return tried === null ? null : `${base}/retries ${tried}`
    },
    faults: ({ world, base, items }) => countedFaults(world, `${base}/retries`, items, item => 1 + (item % 3)),
  },
  cache: {
    items: 150,
    /** Run a second time when it is done: everything comes from the cache. */
    twice: true,
    text: ({ port, base, items }) => `workflow main() -> int {
  can net("127.0.0.1:${port}")

  task kept for n in range(${items}) parallel 6 cache 1d = http.postJson("${base}/cache", { item: n })

  task doubled -> int[] = json.parse(json.print(kept))

  return sum(doubled)
}
`,
    workOf: (path, base) => {
      const kept = indexOf(path, 'kept')
      return kept === null ? null : `${base}/cache ${kept}`
    },
    faults: ({ world, base, items }) => countedFaults(world, `${base}/cache`, items),
  },
  approval: {
    items: 16,
    /** People answer, by processes of their own, while it runs and while nothing does. */
    asks: true,
    text: ({ port, base, items }) => `workflow main() -> int {
  can net("127.0.0.1:${port}")

  task posted for n in range(${items}) parallel 5 approve "Post \${n}?" = http.postJson("${base}/approved", { item: n })

  task doubled -> int[] = json.parse(json.print(posted))

  return sum(doubled)
}
`,
    workOf: (path, base) => {
      const posted = indexOf(path, 'posted')
      return posted === null ? null : `${base}/approved ${posted}`
    },
    faults: ({ world, base, items }) => countedFaults(world, `${base}/approved`, items),
  },
  files: {
    items: 300,
    /** Lines that do not differ: only their number tells what is lost and doubled. */
    text: ({ items }) => `workflow main() -> int {
  can fs.read("**"), fs.write("log.txt"), fs.write("made/**")

  task added for n in range(${items}) parallel 6 = fs.append("log.txt", "line\\n")

  task made for n in range(${items}) parallel 6 = fs.write("made/\${n}.txt", "\${n}")

  return len(added) + len(made)
}
`,
    workOf: () => null,
    faults: ({ folder, items }) => {
      const lines = readFileSync(join(folder, 'log.txt'), 'utf8').split('\n').length - 1
      const missing = Array.from({ length: items }, (_, n) => n).filter(n => !existsSync(join(folder, 'made', `${n}.txt`)) || readFileSync(join(folder, 'made', `${n}.txt`), 'utf8') !== String(n))
      const strange = readdirSync(join(folder, 'made')).filter(name => !/^\d+\.txt$/.test(name)) // temporary names that a kill has left
      return { lost: [...Array(Math.max(0, items - lines)).fill('a line'), ...missing.map(n => `made/${n}.txt`)], doubled: Array(Math.max(0, lines - items)).fill('a line'), litter: strange.length }
    },
  },
  commands: {
    items: 60,
    text: ({ items, mark }) => `workflow main() -> int {
  can exec("sh", "-c", "*"), fs.read("out/**"), fs.write("out/**")

  task ran for n in range(${items}) parallel 4 = shell.run("sh", "-c", "echo x >> out/\${n}; sleep 0.03 & sleep 0.05; wait; : ${mark}")

  return len(ran |> filter(r => r.ok))
}
`,
    /** How often each command has begun, by the lines in its file. */
    workOf: path => {
      const ran = indexOf(path, 'ran')
      return ran === null ? null : `out ${ran}`
    },
    begun: folder => {
      const out = join(folder, 'out')
      return new Map(existsSync(out) ? readdirSync(out).filter(name => /^\d+$/.test(name)).map(name => [`out ${name}`, readFileSync(join(out, name), 'utf8').length / 2]) : [])
    },
    faults: ({ folder, items }) => {
      const begun = programs.commands.begun(folder)
      return { lost: Array.from({ length: items }, (_, n) => `out ${n}`).filter(what => !begun.has(what)), doubled: [], again: [...begun.values()].reduce((sum, count) => sum + count - 1, 0) }
    },
  },
}
