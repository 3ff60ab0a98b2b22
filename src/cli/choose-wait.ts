// Choose wait: which question, or which task of which run, a person means.
// Owns: the words TASK and RUN of a command. Does not own: whether the request fits (history/ask.ts).
//   W1. Nothing is guessed between several: they are listed instead.
//   W2. One word is the name of a task; only where no task of that name asks may it be a run with one question.
import { didYouMean } from '#base/did-you-mean.ts'
import { neutraliseLine } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Host } from '#host/host.ts'
import type { WaitHere } from '#history/ask.ts'
import type { RecordedRun, Wait } from '#model/report.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { answered, CliFailure } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { chooseRun, databasePath, recordedRuns } from './recorded-runs.ts'
import { shellWord } from './shell-word.ts'

/** Questions and runs that a message lists. */
const MAX_LISTED = 8
/** Waits that the summary of a run lists. */
export const MAX_SUMMARY_WAITS = 100

export interface ChosenTask {
  readonly runId: string
  readonly task: string
}

export interface ChosenQuestion extends ChosenTask {
  /** Null where the task asks nothing, which the run is to say itself. */
  readonly question: Question | null
}

type Question = Extract<Wait, { kind: 'approval' }>

/** Everything here that waits; nothing when there is no database. */
export async function waitsOfFolder(host: Host): Promise<readonly WaitHere[]> {
  if ((await host.files.stat(databasePath(host.cwd))) === null) return []
  const { waitsHere } = await import('#tek.ts')
  return answered(await waitsHere(host, databasePath(host.cwd)))
}

/** The question that is answered with `command`. */
export async function chooseQuestion(host: Host, command: string, task: string | undefined, run: string | undefined): Promise<ChosenQuestion> {
  const runs = await recordedRuns(host)
  const chosen = run === undefined ? null : chooseRun(runs, run).runId
  const all = (await waitsOfFolder(host)).flatMap(({ run: of, wait, answer }) => (wait.kind === 'approval' ? [{ run: of, wait, answer }] : []))
  const questions = all.filter(each => each.answer === null)
  if (task !== undefined && chosen !== null) return { task, runId: chosen, question: all.find(each => each.run.runId === chosen && each.wait.task === task)?.wait ?? null }
  const named = task === undefined ? questions : questions.filter(each => each.wait.task === task)
  const inRun = task === undefined || named.length > 0 ? [] : questions.filter(each => each.run === runNamed(questions, runs, task)) // W2
  const meant = named.length > 0 ? named : inRun
  if (meant.length === 1) return { task: meant[0]!.wait.task, runId: meant[0]!.run.runId, question: meant[0]!.wait }
  if (meant.length > 1) throw new CliFailure([cliErrors['several-ask']({ command, asks: listed(meant) })], exitCodes.usage) // W1
  const before = all.find(each => each.wait.task === task)
  if (before !== undefined) return { task: before.wait.task, runId: before.run.runId, question: before.wait } // it says who was first
  const only = unfinished(runs)
  const unlisted = task === undefined ? [] : await runsThatAsk(host, only, task)
  if (task !== undefined && unlisted.length === 1) return { task, runId: unlisted[0]!, question: null }
  // It may be a task that asks nothing: the run itself says so best.
  if (task !== undefined && only.length === 1 && questions.length === 0) return { task, runId: only[0]!.runId, question: null }
  if (task === undefined || questions.length === 0) throw new CliFailure([cliErrors['nothing-asks']({})], exitCodes.usage)
  const tasks = [...new Set(questions.map(each => each.wait.task))]
  throw new CliFailure([cliErrors['unknown-question']({ task, tasks: tasks.slice(0, MAX_LISTED).map(neutraliseLine), near: didYouMean(task, tasks) })], exitCodes.usage)
}

/** Runs with more questions than a summary lists, in which this task asks one of the others. */
async function runsThatAsk(host: Host, runs: readonly RecordedRun[], task: string): Promise<readonly string[]> {
  const many = runs.filter(each => (each.waits?.length ?? 0) >= MAX_SUMMARY_WAITS).map(each => each.runId)
  if (many.length === 0) return []
  const { fitting } = await import('#tek.ts')
  return answered(await fitting(databasePath(host.cwd), many, { kind: 'answer', task, verdict: 'approved', by: '' }))
}

function runNamed(questions: readonly Pick<WaitHere, 'run'>[], runs: readonly RecordedRun[], word: string): RecordedRun | undefined {
  const named = word === 'last' ? runs.slice(0, 1) : runs.filter(each => each.runId.startsWith(word))
  return named.length === 1 ? questions.find(each => each.run.runId === named[0]!.runId)?.run : undefined
}

const listed = (questions: readonly Pick<WaitHere, 'run' | 'wait'>[]): string[] => questions.slice(0, MAX_LISTED).map(({ run, wait }) => `${shellWord(neutraliseLine(wait.task))} ${run.runId.slice(0, SHORT_ID)}`)

const unfinished = (runs: readonly RecordedRun[]): RecordedRun[] => runs.filter(each => each.state !== 'done' && each.state !== 'failed' && each.state !== 'superseded')

/** The run in which a task is given up: the one that is named, or the only one that is not finished and has it. */
export async function chooseTask(host: Host, command: string, task: string, run: string | undefined): Promise<ChosenTask> {
  const runs = await recordedRuns(host)
  if (run !== undefined) return { task, runId: chooseRun(runs, run).runId }
  const open = unfinished(runs)
  if (open.length === 0) throw new CliFailure([cliErrors['nothing-to-resume']({})], exitCodes.usage)
  if (open.length === 1) return { task, runId: open[0]!.runId }
  const { fitting } = await import('#tek.ts')
  const fit = answered(await fitting(databasePath(host.cwd), open.map(each => each.runId), { kind: 'cancel', task, by: '' }))
  if (fit.length === 1) return { task, runId: fit[0]! }
  const several = (fit.length === 0 ? open.map(each => each.runId) : fit).slice(0, MAX_LISTED).map(each => each.slice(0, SHORT_ID))
  if (fit.length === 0) return { task, runId: open[0]!.runId } // it says why it does not fit
  throw new CliFailure([cliErrors['several-runs']({ command, task: shellWord(task), runs: several })], exitCodes.usage)
}
