// Task: what can be wrong with tasks, their order and their clauses.
// Owns: the words. Does not own: finding it (compiler/3-check).
import { defineDiagnostics } from '../diagnostic.ts'

export const taskErrors = defineDiagnostics('task', {
  'call-not-allowed-here': {
    severity: 'error',
    message: (p: { callee: string; what: string; place: string }) => `\`${p.callee}\` ${p.what} and cannot stand in ${p.place}.`,
    help: () => 'Give it a task of its own and use that task\'s name here: `task result = …`.',
  },
  'call-in-lambda': {
    severity: 'error',
    message: (p: { callee: string; what: string }) => `\`${p.callee}\` ${p.what} and cannot stand inside a \`=>\`.`,
    help: () => 'Use a `task … for item in list = …`, or a comprehension `[… for item in list]`.',
  },
  'writes-in-read-only-stage': {
    severity: 'error',
    message: (p: { callee: string; stage: string }) => `\`${p.callee}\` changes the world; ${p.stage} may only look at it.`,
    help: () => 'Do it in `run`, or in an action after `promote … do`.',
  },
  'workflow-call-not-whole': {
    severity: 'error',
    message: (p: { workflow: string; word: 'task' | 'let' }) => `A call of the workflow \`${p.workflow}\` must be the whole value of a ${p.word === 'let' ? '`let`' : p.word}.`,
    help: (p: { workflow: string; word: 'task' | 'let' }) => `Write \`${p.word} result = ${p.workflow}(…)\` and use \`result\` here.`,
  },
  'cycle': {
    severity: 'error',
    message: (p: { path: string }) => `These tasks wait for each other: ${p.path}.`,
    help: () => 'Take one of the uses away, or split one of the tasks in two.',
  },
  'workflow-recursion': {
    severity: 'error',
    message: (p: { path: string }) => `This workflow would run itself without end: ${p.path}.`,
    help: () => 'Workflows do not call themselves; use `for` over a list, or a `loop`.',
  },
  'unused': {
    severity: 'warning',
    message: (p: { what: string; name: string }) => `Nothing uses the ${p.what} \`${p.name}\`, and it has no effect.`,
    help: () => 'Use it, return it, or remove it.',
  },
  'never-runs': {
    severity: 'warning',
    message: (p: { name: string }) => `The task \`${p.name}\` never runs: its \`when\` is always false.`,
    help: () => 'Remove it, or give `when` a condition that can be true.',
  },
  'duplicate-effect': {
    severity: 'warning',
    message: (p: { name: string; other: string }) => `\`${p.name}\` does the very same thing as \`${p.other}\`, in no particular order.`,
    help: (p: { name: string; other: string }) => `Remove one of them, or order them: \`task ${p.name} after ${p.other}\`.`,
  },
  'unbounded-for': {
    severity: 'error',
    message: (p: { name: string }) => `The task \`${p.name}\` asks a model once per item, and nobody knows how many items there are.`,
    help: () => 'Take some: `for x in take(list, 200)`; or set `limits { tasks: 200 }` in the workflow.',
  },
  'bad-retry': { severity: 'error', message: (p: { limit: number }) => `\`retry\` takes a count from 1 to ${p.limit}.` },
  'bad-backoff': {
    severity: 'error',
    message: (p: { problem: string }) => `\`backoff\` ${p.problem}.`,
    help: () => 'Write a time or a range of times, the shorter one first: `retry 3 backoff 1s..30s`.',
  },
  'bad-timeout': { severity: 'error', message: () => '`timeout` takes a time longer than zero.', help: () => 'Such as `timeout 2m`.' },
  'bad-cache': { severity: 'error', message: () => '`cache` takes a time longer than zero.', help: () => 'Such as `cache 1d`.' },
  'bad-verify': {
    severity: 'error',
    message: (p: { problem: string }) => `\`verify\` ${p.problem}.`,
    help: () => 'More than half of the runs must agree: `verify 3 agree 2`, or `verify 3..10`.',
  },
  'verify-writes': {
    severity: 'error',
    message: (p: { callee: string }) => `\`verify\` would run \`${p.callee}\` several times, and it changes the world.`,
    help: () => 'Verify tasks that only read or compute; or verify the task that looks at the result.',
  },
  'bad-approve': {
    severity: 'error',
    message: (p: { problem: string }) => `\`approve\` ${p.problem}.`,
    help: () => 'Say how long it waits, and whom it is passed on to: `approve "Delete it?" within 2h escalate "the owner" within 1h`.',
  },
  'bad-given': { severity: 'error', message: (p: { problem: string }) => `Nothing can stand in here: ${p.problem}.` },
  'bad-wait': {
    severity: 'error',
    message: (p: { problem: string }) => `\`wait\` ${p.problem}.`,
    help: () => 'Such as `wait 10m`; or `wait until at`, with a time as `time.now()` gives it.',
  },
  'bad-priority': { severity: 'error', message: (p: { level: string }) => `There is no priority \`${p.level}\`.`, help: () => 'Priorities are `low`, `normal` and `high`.' },
  'bad-needs': { severity: 'error', message: (p: { problem: string }) => `\`needs\` ${p.problem}.`, help: () => 'It takes `needs { cpu: 2, memory: 1GB }`.' },
  'bad-parallel': { severity: 'error', message: (p: { limit: number }) => `\`parallel\` takes a whole number from 1 to ${p.limit}.` },
  'parallel-without-for': {
    severity: 'error',
    message: (p: { name: string }) => `\`parallel\` is the width of a \`for\`, and \`${p.name}\` has none.`,
    help: () => 'Remove it: tasks that do not wait for each other run side by side anyway.',
  },
  'prompt-without-agent': {
    severity: 'error',
    message: () => 'A prompt needs somebody to answer it.',
    help: () => 'Say who: `task answer by AGENT -> TYPE = prompt """…"""`.',
  },
  'agent-without-prompt': {
    severity: 'error',
    message: (p: { agent: string }) => `\`${p.agent}\` needs a prompt, and this is a value.`,
    help: () => 'Write `= prompt """…"""`, or call a prompt template.',
  },
  'agent-result-needed': {
    severity: 'error',
    message: (p: { name: string }) => `The task \`${p.name}\` does not say what its agent answers.`,
    help: () => 'Add a type after the agent: `-> string`, or `-> { file: path, line: int }[]`.',
  },
  'no-return': {
    severity: 'error',
    message: (p: { workflow: string; type: string }) => `The workflow \`${p.workflow}\` promises \`${p.type}\` and returns nothing.`,
    help: () => 'End it with `return …`, or remove the type after `->`.',
  },
})
