// Ordeal: one program, killed with SIGKILL again and again and gone on with, and what is true after each kill and at the end.
// Owns: the instants, the checks. Does not own: the programs (programs.mjs), the world (world.mjs), the process table (processes.mjs).
//   O1. Every process is the built command line, in a folder of the program's own; it is killed from outside, no one is asked.
//   O2. Instants: a random time after the start (it may not have read the journal yet), or a random number of events (requests, notices) and then random
//       milliseconds; or while a second `tek resume` begins beside it.
//   O3. After each kill: nobody is left; a copy of the database opens, passes integrity_check, and `tek audit verify` passes on it. A copy, so that the
//       next `tek resume` finds what the kill left.
//   O4. What the journal says is finished after a kill must never be asked for again.
//   O5. Who answers a question is killed too. An answer that was said to be recorded counts: without another one the run comes to its end.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import Database from 'better-sqlite3'
import { survivors, treeOf } from './processes.mjs'
import { programs } from './programs.mjs'

const FIRST_START_MS = 400
const POLL_MS = 25
/** `tek`'s exit code for a run that waits. */
const WAITING = 6
const SILENT_MS = 120_000
const MAX_PROBLEMS = 20
/** Answers put while one process of the run lives, and how many of those who put them are killed at it. */
const ANSWERS_A_LIFE = 4
const KILLED_ANSWERS = 0.3
/** Ends that wait for a person although every question has been answered. */
const MAX_IDLE = 5

/** `tek`: the command line; `showRun`: of the library; `leaveMs`: after how long whoever is left counts as an orphan. */
export async function ordeal(name, { world, kills, tek, showRun, leaveMs, onKill = () => {} }) {
  const one = new Ordeal(name, { world, tek, showRun, leaveMs, onKill })
  try {
    return await one.run(kills)
  } finally {
    one.close()
  }
}

class Ordeal {
  constructor(name, { world, tek, showRun, leaveMs, onKill }) {
    Object.assign(this, { name, world, tek, showRun, leaveMs, onKill, program: programs[name] })
    this.mark = `tek-crash-${process.pid}-${randomBytes(6).toString('hex')}`
    this.folders = []
    this.startMs = FIRST_START_MS
    this.report = { program: name, runs: 0, kills: 0, rivals: 0, refused: 0, taken: 0, lost: 0, doubled: 0, repeated: 0, again: 0, answers: 0, litter: 0, orphans: 0, slowestEndMs: 0, problems: [] }
  }

  close() {
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true })
  }

  /** Runs the program, disturbed, as often as it takes for so many kills. */
  async run(kills) {
    const whole = await this.undisturbed()
    while (this.report.kills < kills) await this.disturbed(Math.min(kills - this.report.kills, 40), whole)
    return this.report
  }

  problem(text) {
    if (this.report.problems.length < MAX_PROBLEMS) this.report.problems.push(`${this.name}: ${text}`)
  }

  /** A folder with the program; the world answers for it under a path of its own. */
  place() {
    const folder = mkdtempSync(join(tmpdir(), 'tek-bench-crash-'))
    this.folders.push(folder)
    const base = `/${randomBytes(4).toString('hex')}`
    const address = `http://127.0.0.1:${this.world.port}${base}`
    writeFileSync(join(folder, 'main.tek'), this.program.text({ port: this.world.port, base: address, items: this.program.items, mark: this.mark }))
    if (this.name === 'commands') mkdirSync(join(folder, 'out'))
    return { folder, base }
  }

  start(folder, words) {
    const isOfRun = words[0] === 'run' || words[0] === 'resume' // whoever asks and answers beside it is nobody's orphan
    const env = { PATH: process.env.PATH ?? '', HOME: folder, ...(isOfRun ? { TEK_CRASH_MARK: this.mark } : {}) }
    const child = spawn(process.execPath, [this.tek, ...words], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] }) // O1
    const life = { child, began: performance.now(), out: '', err: '', events: 0, onEvent: () => {} }
    const silence = setTimeout(() => {
      this.problem(`a process said nothing for ${SILENT_MS} ms`)
      child.kill('SIGKILL')
    }, SILENT_MS)
    child.stdout.setEncoding('utf8').on('data', text => {
      silence.refresh()
      life.out += text
      for (let at = text.indexOf('"kind":"task"'); at >= 0; at = text.indexOf('"kind":"task"', at + 1)) life.events++
      life.onEvent()
    })
    child.stderr.setEncoding('utf8').on('data', text => { life.err = (life.err + text).slice(-4_000) })
    life.ended = new Promise(resolve => child.on('close', code => {
      clearTimeout(silence)
      resolve(code)
    }))
    return life
  }

  async undisturbed() {
    const { folder, base } = this.place()
    this.world.setDelay(0)
    const life = this.start(folder, ['run', 'main.tek', '--allow-all', '--json', ...(this.program.asks ? ['--yes'] : [])])
    const code = await life.ended
    const value = outcomeOf(life)
    if (code !== 0 || value === undefined) throw new Error(`${this.name} does not run by itself: exit code ${code}\n${life.err}${life.out.slice(-2_000)}`)
    const { lost, doubled } = this.program.faults({ world: this.world, base, folder, items: this.program.items })
    if (lost.length + doubled.length > 0) throw new Error(`${this.name} counts wrong when nobody disturbs it: ${[...lost, ...doubled].slice(0, 5).join(', ')}`)
    return value
  }

  /** One run with about so many kills, to its end. */
  async disturbed(kills, whole) {
    const { folder, base } = this.place()
    this.world.setDelay(4)
    this.report.runs++
    this.base = base
    this.finished = new Map()
    this.answered = new Set()
    this.perhaps = new Set()
    let [value, idle] = [undefined, 0]
    for (let left = kills; value === undefined; ) {
      const runId = this.runId(folder)
      // By its id: a run whose process was killed after its last event gives its result.
      const words = runId !== null ? ['resume', runId, '--allow-all', '--json'] : ['run', 'main.tek', '--allow-all', '--json']
      if (left <= 0) this.world.setDelay(0)
      const life = this.start(folder, words)
      const before = this.answered.size
      const answering = this.program.asks && runId !== null ? this.answer(folder, runId) : null
      const killed = left > 0 ? await this.disturb(folder, life, kills) : null
      const code = await life.ended
      await answering
      if (killed === null && code === WAITING && this.program.asks) {
        if (this.answered.size > before || this.answered.size < this.program.items) idle = 0
        else if (++idle > MAX_IDLE) return this.problem('it waits for answers that it was given')
      } else if (killed === null) {
        if (code !== 0) return this.problem(`exit code ${code} after ${kills - left} kills: ${life.err.slice(-600)}${life.out.slice(-300)}`)
        value = outcomeOf(life)
        if (value === undefined) return this.problem('a run that was done gave no result')
      } else {
        left -= killed
        await this.afterKill(folder)
      }
      this.checkRepeated(folder)
    }
    await this.atTheEnd(folder, value, whole)
  }

  runId(folder) {
    const path = join(folder, '.tek', 'tek.db')
    if (!existsSync(path)) return null
    try {
      return withDatabase(this.copyOf(folder), db => db.prepare('select id from runs order by started_ms desc limit 1').pluck().get() ?? null)
    } catch (error) {
      if (/no such table/.test(String(error))) return null // killed before it was made
      this.problem(`the database does not open: ${error}`)
      return null
    }
  }

  /** Kills a process, or it ends by itself: how many were killed, or null. // O2 */
  async disturb(folder, life, kills) {
    const dice = Math.random()
    const isOver = life.ended.then(() => 'over')
    if (dice < 0.25) await Promise.race([sleep(Math.random() * this.startMs * 1.3), isOver])
    else {
      const wanted = 1 + Math.floor(Math.random() * Math.max(2, (2 * this.program.items) / kills))
      await Promise.race([this.eventsOf(life, wanted), isOver])
      await Promise.race([sleep(Math.random() * 15), isOver])
    }
    if (life.child.exitCode !== null) return null
    if (dice > 0.85 && this.runId(folder) !== null) return this.withRival(folder, life)
    return this.kill(life)
  }

  /** Some of the questions are answered, while the run's process may live or not. // O5 */
  async answer(folder, runId) {
    const asked = this.start(folder, ['waits', '--json'])
    if ((await asked.ended) !== 0) return this.problem(`tek waits: ${asked.err.slice(0, 300)}${asked.out.slice(0, 300)}`)
    const open = JSON.parse(asked.out).waits.flatMap(each => (each.kind === 'approval' && !this.answered.has(each.task) ? [each.task] : []))
    for (const task of open.slice(0, ANSWERS_A_LIFE)) {
      const person = this.start(folder, ['approve', task, runId])
      if (Math.random() < KILLED_ANSWERS) setTimeout(() => person.child.kill('SIGKILL'), Math.random() * this.startMs * 1.5)
      const code = await person.ended
      if (code === 0 || /run\/answered-before/.test(person.err)) {
        this.answered.add(task)
        this.report.answers++
      } else if (code === null) this.perhaps.add(task)
      else if (!/run\/(?:not-asking|over-before|finished-already)/.test(person.err)) this.problem(`tek approve ${task}: exit code ${code}: ${person.err.slice(0, 300)}`)
    }
  }

  eventsOf(life, wanted) {
    const asked = this.world.asked.length
    return new Promise(resolve => {
      const look = () => {
        const seen = Math.max(life.events, this.world.asked.length - asked)
        if (seen > 0 && life.hasBegun === undefined) {
          life.hasBegun = true
          this.startMs = performance.now() - life.began
        }
        if (seen >= wanted) resolve('events')
      }
      life.onEvent = look
      this.world.listen(look)
    })
  }

  /** Kills one and waits for everything of it to be gone. */
  async kill(life) {
    const known = treeOf(life.child.pid)
    if (!life.child.kill('SIGKILL')) return null
    await life.ended
    if (life.child.signalCode !== 'SIGKILL') return null
    this.report.kills++
    this.onKill(this.report)
    await this.waitForNobody(known)
    return 1
  }

  async waitForNobody(known) {
    const began = performance.now()
    let left = survivors(known, this.mark)
    while (left.length > 0 && performance.now() - began < this.leaveMs) {
      await sleep(POLL_MS)
      left = survivors(known, this.mark)
    }
    this.report.slowestEndMs = Math.max(this.report.slowestEndMs, Math.round(performance.now() - began))
    this.report.orphans += left.length
    if (left.length > 0) this.problem(`left after ${this.leaveMs} ms: ${left.map(each => `process ${each.pid} under ${each.parent}: ${each.command}`).join('; ')}`)
    for (const { pid } of left) process.kill(pid, 'SIGKILL')
  }

  /** A second `tek resume` begins beside one that drives, which is killed meanwhile: it is told so, or takes over and is killed in turn. */
  async withRival(folder, life) {
    this.report.rivals++
    const rival = this.start(folder, ['resume', this.runId(folder), '--allow-all', '--json'])
    await Promise.race([sleep(Math.random() * this.startMs * 1.5), rival.ended])
    const known = treeOf(life.child.pid)
    const driven = rival.child.exitCode === null ? null : rival.err + rival.out
    life.child.kill('SIGKILL')
    await life.ended
    const first = life.child.signalCode === 'SIGKILL' ? 1 : 0
    this.report.kills += first
    if (driven === null) await Promise.race([this.eventsOf(rival, 1 + Math.floor(Math.random() * 10)), rival.ended])
    const second = rival.child.exitCode === null ? await this.kill(rival) : null
    await rival.ended
    const said = rival.err + rival.out
    if (/run\/being-driven/.test(said)) this.report.refused++
    else if (second !== null || outcomeOf(rival) !== undefined) this.report.taken++
    else if (rival.child.exitCode !== null && first === 1) this.problem(`a second resume ended with ${rival.child.exitCode}: ${said.slice(-400)}`)
    await this.waitForNobody(known)
    return first + (second ?? 0)
  }

  /** O3, and what is finished by now. // O4 */
  async afterKill(folder) {
    const runId = this.runId(folder)
    if (runId === null) return
    const copy = this.copyOf(folder)
    const whole = withDatabase(copy, db => db.pragma('integrity_check', { simple: true }))
    if (whole !== 'ok') this.problem(`integrity_check: ${whole}`)
    const audit = this.start(copy, ['audit', 'verify', '--json'])
    const code = await audit.ended
    if (code !== 0 && !/audit\/no-log/.test(audit.out)) this.problem(`tek audit verify: exit code ${code}: ${audit.out.slice(0, 400)}${audit.err.slice(0, 400)}`)
    await this.noteFinished(folder, copy, runId)
  }

  async noteFinished(folder, copy, runId) {
    const answer = await this.showRun(join(copy, '.tek', 'tek.db'), runId)
    const tasks = answer.kind === 'answer' ? answer.value.tasks : []
    if (answer.kind !== 'answer') this.problem(`tek show: ${JSON.stringify(answer).slice(0, 300)}`)
    const begun = this.begun(folder)
    const done = new Set(tasks.filter(each => each.status === 'done').map(each => each.path))
    for (const path of this.finished.keys()) if (!done.has(path)) this.problem(`${path} was done, and is not any more`)
    for (const path of done) {
      const work = this.program.workOf(path, this.base)
      if (work !== null && !this.finished.has(path)) this.finished.set(path, { work, times: begun.get(work) ?? 0 })
    }
  }

  /** How often each piece of work was asked for so far. */
  begun(folder) {
    if (this.program.begun !== undefined) return this.program.begun(folder)
    const counts = new Map()
    for (const { what } of this.world.asked) counts.set(what, (counts.get(what) ?? 0) + 1)
    return counts
  }

  checkRepeated(folder) {
    const begun = this.begun(folder)
    for (const [path, one] of this.finished) {
      const times = begun.get(one.work) ?? 0
      if (times === one.times) continue
      this.report.repeated += times - one.times
      this.problem(`${path} was finished, and its work was asked for again`)
      one.times = times
    }
  }

  async atTheEnd(folder, value, whole) {
    const known = new Set([...this.answered, ...this.perhaps]).size
    if (this.program.asks && known !== this.program.items) this.problem(`${known} questions were answered, and ${this.program.items} asked`)
    if (!isDeepStrictEqual(value, whole)) this.problem(`the result is ${JSON.stringify(value)} instead of ${JSON.stringify(whole)}`)
    if (this.program.twice) {
      const before = this.world.asked.length
      const again = this.start(folder, ['run', 'main.tek', '--allow-all', '--json'])
      if ((await again.ended) !== 0 || !isDeepStrictEqual(outcomeOf(again), whole)) this.problem('a second run does not come to the same result from the cache')
      if (this.world.asked.length !== before) this.problem(`a second run asked for ${this.world.asked.length - before} cached results`)
    }
    const audit = this.start(folder, ['audit', 'verify', '--json'])
    if ((await audit.ended) !== 0) this.problem(`tek audit verify at the end: ${audit.out.slice(0, 400)}${audit.err.slice(0, 400)}`)
    const asked = this.world.asked.filter(each => each.what.startsWith(`${this.base}/`))
    const { lost, doubled, litter = 0, again = asked.length - new Set(asked.map(each => each.key)).size } = this.program.faults({ world: this.world, base: this.base, folder, items: this.program.items })
    this.report.lost += lost.length
    this.report.doubled += doubled.length
    this.report.again += again
    this.report.litter += litter
    for (const what of [...lost.map(each => `lost: ${each}`), ...doubled.map(each => `doubled: ${each}`)].slice(0, 5)) this.problem(what)
  }

  /** The folder's `.tek` as the kill left it, in a folder of its own. */
  copyOf(folder) {
    const copy = `${folder}-copy`
    if (!this.folders.includes(copy)) this.folders.push(copy)
    rmSync(copy, { recursive: true, force: true })
    mkdirSync(copy)
    cpSync(join(folder, '.tek'), join(copy, '.tek'), { recursive: true })
    return copy
  }
}

function withDatabase(folder, ask) {
  const db = new Database(join(folder, '.tek', 'tek.db'))
  try {
    return ask(db)
  } finally {
    db.close()
  }
}

function outcomeOf({ out }) {
  const line = out.split('\n').find(each => each.startsWith('{"version":1,"kind":"run-finished"'))
  try {
    return line === undefined ? undefined : JSON.parse(line).summary.outcome?.value
  } catch {
    return undefined // cut off by the kill
  }
}
