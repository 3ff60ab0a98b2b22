// Processes: who is there, as the system says (Linux).
// Owns: the table of processes. Does not own: who should be there (ordeal.mjs).
import { readdirSync, readFileSync } from 'node:fs'

/** Every process: `pid`, `parent`, `since` (its start, in ticks), `isZombie`. */
function table() {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).flatMap(name => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return [{ pid: Number(name), parent: Number(fields[1]), since: fields[19], isZombie: fields[0] === 'Z' || fields[0] === 'X' }]
    } catch {
      return [] // it has ended meanwhile
    }
  })
}

/** A process and everything beneath it. */
export function treeOf(pid) {
  const all = table()
  const found = all.filter(each => each.pid === pid)
  for (let at = 0; at < found.length; at++) found.push(...all.filter(each => each.parent === found[at].pid))
  return found
}

/** Those of `known` that live still, and every other process that has `mark` in its arguments or its environment. */
export function survivors(known, mark) {
  return table().flatMap(each => (isSurvivor(each, known, mark) ? [{ ...each, command: commandOf(each.pid) }] : []))
}

function isSurvivor(each, known, mark) {
  if (each.isZombie || each.pid === process.pid) return false
  if (known.some(one => one.pid === each.pid && one.since === each.since)) return true
  return ['cmdline', 'environ'].some(file => read(each.pid, file).includes(mark))
}

const commandOf = pid => read(pid, 'cmdline').replace(/\0/g, ' ').trim().slice(0, 400)

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return '' // another's, or gone
  }
}
