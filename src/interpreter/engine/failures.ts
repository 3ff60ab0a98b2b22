// Failures: what the engine itself finds wrong while a run goes on.
// Owns: their words. The codes are listed in diagnostics/catalog/run.ts and explained in docs/errors/run.
import type { Failure } from '#model/event.ts'
import { MAX_WAIT_MS } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import type { Needs } from './schedule.ts'
import type { TalkEnd } from './talk/talk.ts'
import { MAX_ATTEMPTS, MAX_DETAILS_LENGTH, MAX_QUESTION_LENGTH, MAX_TASKS, MAX_WORKFLOW_DEPTH } from './protocol.ts'

const DAY_MS = 86_400_000
/** Characters of what does not hold. */
const MAX_SAYS_LENGTH = 2_000

function failure(code: string, task: string, message: string, help: string, more: { retryable?: boolean; details?: string } = {}): Failure {
  return { code, message, task, retryable: more.retryable ?? false, help, ...(more.details === undefined ? {} : { details: more.details }) }
}

export const failures = {
  timedOut: (task: string, ms: number) =>
    failure('run/timed-out', task, `This attempt took longer than its timeout of ${seconds(ms)}.`, 'Raise `timeout`, or add `retry` if trying again may help.', { retryable: true }),
  tooManyTasks: (task: string, wanted: number) =>
    failure('run/too-many-tasks', task, `This would make ${wanted} tasks; a run may have ${MAX_TASKS}.`, 'Work on fewer items with `take(list, n)`, or on several items in one task.'),
  wrongType: (task: string, what: string, problem: { readonly path: string; readonly message: string }) =>
    failure('run/wrong-type', task, `${what} is not of its declared type${problem.path === '' ? '' : `, at \`${problem.path}\``}: ${problem.message}`, 'Look at what it is made of, or declare a wider type and `match` on it.'),
  tooDeep: (task: string) =>
    failure('run/too-deep', task, `This workflow is inside ${MAX_WORKFLOW_DEPTH} others.`, 'Let one workflow do the work of several.'),
  tooManyAttempts: (task: string) =>
    failure('run/too-many-attempts', task, `This task has been tried ${MAX_ATTEMPTS} times.`, 'Lower `retry` or `verify`.'),
  needsTooMuch: (task: string, needs: Needs, has: Needs) =>
    failure(
      'run/needs-too-much', task,
      needs.cpu > has.cpu
        ? `This task needs ${needs.cpu} processors; this run has ${has.cpu}.`
        : `This task needs ${megabytes(needs.memoryBytes)} of memory; this run has ${megabytes(has.memoryBytes)}.`,
      'Lower its `needs`, or run it on a larger machine.',
    ),
  notAList: (task: string, found: string) =>
    failure('run/not-a-list', task, `A \`for\` needs a list; this is ${found}.`, 'Give it a list: `[value]` for one value.'),
  badWidth: (task: string) =>
    failure('run/bad-width', task, '`parallel` needs a whole number of 1 or more.', 'Write for example `parallel 4`.'),
  notABool: (task: string) =>
    failure('run/wrong-kind', task, '`when` needs true or false.', 'Compare the value with something: `x == "yes"`.'),
  notAvailableYet: (task: string, feature: string) =>
    failure('run/not-available-yet', task, `${feature} cannot be run by this version of tek.`, 'Leave this task out for now; `tek check` and `tek plan` work with it.'),
  refused: (task: string, by: string, note: string | undefined) =>
    failure('run/refused-by-person', task, `A person refused this task (${by}).`, 'Change what it asks for, or say with `on failure` what follows without it.', note === undefined ? {} : { details: note.slice(0, MAX_DETAILS_LENGTH) }),
  notApproved: (task: string, ms: number, askedOf: readonly string[]) =>
    failure(
      'run/not-approved', task,
      `Nobody answered this task's question within ${time(ms)}${askedOf.length === 0 ? '' : `, though it was passed on to ${askedOf.join(', then to ')}`}.`,
      'Allow more time with `within`, pass the question on with `escalate`, or say with `on failure` what follows.',
    ),
  cancelled: (task: string, by: string) =>
    failure('run/cancelled-by-person', task, `A person gave this task up (${by}).`, 'Run the program again, or say with `on failure` what follows without it.'),
  badWait: (task: string, found: string) =>
    failure('run/wrong-kind', task, `\`wait\` needs a number of milliseconds; this is ${found}.`, 'Write a duration: `wait 2h`; or a time: `wait until time.parse("2026-06-01T09:00:00Z")`.'),
  questionTooLong: (task: string, length: number) =>
    failure(
      'run/question-too-long', task, `The question of this task has ${length.toLocaleString('en')} characters; a person is asked in at most ${MAX_QUESTION_LENGTH.toLocaleString('en')}.`,
      'Ask about less at once, such as one item of a `for` after the other, or about a summary.',
    ),
  waitTooLong: (task: string, ms: number) =>
    failure('run/wait-too-long', task, `This would wait ${Math.ceil(ms / DAY_MS)} days; a wait may take ${MAX_WAIT_MS / DAY_MS}.`, 'Wait for a shorter time, or start the run by a trigger.'),
  verifyDisagreed: (task: string, runs: number, best: number, agree: number, details: string) =>
    failure('run/verify-disagreed', task, `Of ${runs} runs, at most ${best} agree; ${agree} have to.`, 'See the values below; compare by a `key` if only a part of them matters.', { details }),
  unknownAgent: (task: string, key: string) =>
    failure('run/damaged-plan', task, `The plan has no agent \`${key}\`.`, 'Compile the program again.'),
  noPrice: (task: string, model: string, workflow: string | null) =>
    failure(
      'agent/no-price', task, `What \`${model}\` costs is not known, so the limit of cost of ${workflow === null ? 'this agent' : `\`${workflow}\``} cannot be kept.`,
      'State it in the model: `price: { input: $3, output: $15 }` per million tokens, or limit `tokens` instead.',
    ),
  talkEnded: (task: string, end: TalkEnd, message: string, details: string | undefined) =>
    failure(`agent/${talkCodes[end]}`, task, message, talkHelp[end], { retryable: mayMend.has(end), ...(details === undefined ? {} : { details: details.slice(0, MAX_DETAILS_LENGTH) }) }),
  agentStopped: (task: string, agent: string, by: string) =>
    failure('agent/stopped', task, `A person stopped the agent \`${agent}\` for this run (${by}).`, 'Run the program again, or say with `on failure` what follows without it.'),
  agentGivenUp: (task: string, agent: string, count: number, { code, message, details }: Failure) =>
    failure(
      'agent/given-up', task, `The agent \`${agent}\` was given up for this run: its model failed ${count} conversations in a row, the last one with ${code}: ${message}`,
      'See what is wrong with the model, then run the program again; `limits { failures: … }` of an agent says how often is too often.', details === undefined ? {} : { details },
    ),
  badThread: (task: string, problem: string) =>
    failure('run/wrong-kind', task, problem, 'Name it with a text: `memory thread "support"`.'),
  notEnsured: (task: string, says: string, value: Value) =>
    failure(
      'run/not-ensured', task, `This task did not come to what was wanted: ${says.slice(0, MAX_SAYS_LENGTH)}`, 'See the value below. `retry` may mend it; or ask for less with `ensure`.',
      { retryable: true, details: JSON.stringify(value).slice(0, MAX_DETAILS_LENGTH) },
    ),
  unknownWorkflow: (task: string, name: string) =>
    failure('run/damaged-plan', task, `The plan has no workflow \`${name}\`.`, 'Compile the program again.'),
}

const talkCodes: Readonly<Record<TalkEnd, string>> = {
  turns: 'turns-used-up', tokens: 'tokens-used-up', cost: 'cost-used-up', refusal: 'refused', repeats: 'repeats-itself', 'answer-cut-off': 'answer-cut-off',
  'wrong-answer': 'wrong-answer', 'objective-missed': 'objective-missed', 'context-full': 'context-full',
}

/** Ends that another conversation may not come to. */
const mayMend: ReadonlySet<TalkEnd> = new Set(['wrong-answer', 'objective-missed', 'repeats'])

const more = (what: string): string => `Allow it more with \`limits { ${what}: … }\`, or give it less to do at once.`
const talkHelp: Readonly<Record<TalkEnd, string>> = {
  turns: more('turns'), tokens: more('tokens'), cost: more('cost'),
  refusal: 'Say in `role` or in the prompt what this is for, or ask another model.',
  repeats: 'Say in `role` what it is to do when a tool does not help, or give it another tool.',
  'answer-cut-off': 'Ask for a shorter answer, or allow the model more with `maxTokens`.',
  'wrong-answer': 'Say in the prompt what the answer is to hold, or declare a simpler type.',
  'objective-missed': 'Say in the prompt what is to hold, allow it more turns, or ask for less with `ensure`.',
  'context-full': 'Give it less to read at once, or a model that holds more.',
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`
}

/** As programs write it, where it comes out even: `2h`. */
function time(ms: number): string {
  const [size, unit] = ([[DAY_MS, 'd'], [3_600_000, 'h'], [60_000, 'm'], [1_000, 's']] as const).find(([each]) => ms >= each && ms % each === 0) ?? [1, ' ms']
  return `${ms / size}${unit}`
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`
}
